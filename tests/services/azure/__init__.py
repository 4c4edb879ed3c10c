"""State in containers of Azure Blob Storage, by the emulator Azurite."""
