// The language of the document, for screen readers, and a new question seen from its beginning.
export default function ({ data }) {
  document.documentElement.lang = data.lang;
  const main = document.querySelector("[data-testid=stMain]") ?? document.scrollingElement;
  if (document.body.dataset.question !== undefined && document.body.dataset.question !== data.question)
    main.scrollTo({ top: 0, behavior: "instant" });
  document.body.dataset.question = data.question;
}
