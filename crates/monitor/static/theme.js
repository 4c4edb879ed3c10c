// Light or dark: as the system has it, unless a person says otherwise.

import { el, setText } from "./dom.js";

const KEY = "pathway-theme";
const THEMES = ["auto", "light", "dark"];

/** Sets the theme, and gives what changes it. */
export function themeSwitch() {
  const root = document.documentElement;
  const button = el("button", { type: "button", class: "theme", title: "Auto is as the system has it", click: () => {
    set(THEMES[(THEMES.indexOf(localStorage.getItem(KEY)) + 1) % THEMES.length] ?? "auto");
  } });
  function set(theme) {
    localStorage.setItem(KEY, theme);
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    setText(button, `Theme: ${theme}`);
  }
  const known = localStorage.getItem(KEY);
  set(THEMES.includes(known) ? known : "auto");
  return button;
}
