"""Parts of pages: clickable pictures, progress bars, markup."""
