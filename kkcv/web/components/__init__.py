"""Parts of pages that know nothing of libraries: pictures to click, bars, texts as markup."""
