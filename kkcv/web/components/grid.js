// A grid of pictures. In "pick" mode a click reports the picture; in "select" mode it toggles it.
// The page runs again while a visitor clicks: what is as it was stays where it is, for a button that
// is replaced between press and release gets no click.
export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  let grid = parentElement.querySelector(".grid");
  if (!grid) {
    grid = document.createElement("div");
    grid.className = "grid";
    parentElement.append(grid);
  }
  grid.classList.toggle("small", data.small);
  Object.assign(grid, { setTriggerValue, setStateValue });
  const ids = data.pictures.map((picture) => picture.id).join();
  if (grid.ids !== ids) grid.selected = new Set(data.selected); // else what was clicked is newer
  grid.ids = ids;

  function card(picture) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "card";
    button.title = picture.title;
    button.setAttribute("aria-label", picture.label);
    button.dataset.id = picture.id;

    const frame = document.createElement("span");
    frame.className = "frame";
    if (picture.src) {
      const image = document.createElement("img");
      image.src = picture.src;
      image.alt = "";
      frame.append(image);
      if (picture.place) image.onload = () => frame.append(outline(image, picture.place));
    } else {
      frame.classList.add("missing");
      frame.append(data.missing);
    }
    if (picture.badge) {
      const badge = document.createElement("span");
      badge.className = "badge";
      badge.append(picture.badge);
      frame.append(badge);
    }

    const caption = document.createElement("span");
    caption.className = "caption";
    const name = document.createElement("span");
    name.className = "name";
    name.append(picture.name);
    caption.append(name);
    if (picture.score !== undefined) {
      const score = document.createElement("span");
      score.className = "score";
      score.title = data.score;
      score.append(picture.score.toFixed(3));
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.setProperty("--share", `${100 * Math.max(0, picture.score)}%`);
      caption.append(score, bar);
    }
    if (picture.note) {
      const note = document.createElement("span");
      note.className = "note";
      note.append(picture.note);
      caption.append(note);
    }
    button.append(frame, caption);

    if (data.mode === "select") {
      button.onclick = () => {
        if (!grid.selected.delete(picture.id)) grid.selected.add(picture.id);
        button.setAttribute("aria-pressed", grid.selected.has(picture.id));
        grid.setStateValue("selected", [...grid.selected]);
      };
    } else {
      button.onclick = () => {
        grid.classList.add("waiting");
        grid.setTriggerValue("picked", picture.id);
      };
    }
    if (!data.actions.length) return button;

    const cell = document.createElement("div");
    cell.className = "cell";
    const row = document.createElement("div");
    row.className = "actions";
    for (const action of data.actions) {
      const small = document.createElement("button");
      small.type = "button";
      small.title = action.label;
      small.setAttribute("aria-label", `${action.label}: ${picture.name}`);
      small.dataset.action = action.name;
      small.append(action.sign);
      small.onclick = () => grid.setTriggerValue("acted", { name: action.name, id: picture.id });
      row.append(small);
    }
    cell.append(button, row);
    return cell;
  }

  // Drawn as the picture is shown: its middle, as large as covers the square.
  function outline(image, place) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "xMidYMid slice");
    const corners = document.createElementNS(space, "polygon");
    corners.setAttribute("points", place.map(([x, y]) => `${x * width},${y * height}`).join(" "));
    svg.append(corners);
    return svg;
  }

  grid.classList.remove("waiting");
  const before = grid.cards ?? [];
  grid.cards = data.pictures.map((picture, place) => {
    const shown = JSON.stringify([picture, data.mode, data.actions, data.missing, data.score]);
    return before[place]?.shown === shown ? before[place] : Object.assign(card(picture), { shown });
  });
  const [after, text] = data.divider ?? [data.pictures.length, ""];
  grid.cards.forEach((each, place) => each.classList.toggle("beyond", place >= after));
  if (data.mode === "select")
    for (const each of grid.cards)
      each.setAttribute("aria-pressed", grid.selected.has(Number(each.dataset.id)));
  const parts = [...grid.cards];
  if (data.divider) {
    if (grid.divider?.textContent !== text) {
      grid.divider = document.createElement("div");
      grid.divider.className = "divider";
      grid.divider.append(text);
    }
    parts.splice(after, 0, grid.divider);
  }
  const same = parts.length === grid.children.length && parts.every((each, n) => each === grid.children[n]);
  if (!same) grid.replaceChildren(...parts);
}
