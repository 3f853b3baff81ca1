"""The textbook: a chapter a family, in English (``en/``) and in Chinese (``zh/``).

The chapters are Markdown with marks in double braces, which ``chapter.py`` replaces: lines of the
source, measured shapes and counts, tables. So a chapter cannot say what the code does not.
"""
