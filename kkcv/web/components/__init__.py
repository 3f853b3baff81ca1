"""Parts of pages: clickable pictures, progress bars, messages, markup."""
