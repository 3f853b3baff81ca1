"""The web page: a Streamlit application over a gallery, in English and Chinese."""
