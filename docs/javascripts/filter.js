// A field above a long table that hides the rows without the words in it: <div class="filtered" data-hint="…">.
document.querySelectorAll(".filtered").forEach((part) => {
  const rows = [...part.querySelectorAll("tbody tr")];
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = field.ariaLabel = part.dataset.hint;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  });
  part.prepend(field);
});
