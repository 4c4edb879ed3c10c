"""Golden streams: scenarios in Markdown and the code that reads and runs them."""
