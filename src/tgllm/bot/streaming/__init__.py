"""An answer that grows in the chat: displays, pace, preview, outcome."""
