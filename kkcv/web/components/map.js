// Dots of pictures. The nearest one under the mouse or finger shows its thumbnail.
const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 620;
const MARGIN = 16;

export default function ({ data, parentElement, setTriggerValue }) {
  const shown = JSON.stringify(data);
  const old = parentElement.querySelector(".map");
  if (old) old.pick = (id) => setTriggerValue("picked", id);
  if (old?.shown === shown) return; // the page ran again; a dot that is replaced loses a click
  old?.remove();
  const map = document.createElement("div");
  map.className = "map";
  Object.assign(map, { shown, pick: (id) => setTriggerValue("picked", id) });
  const svg = document.createElementNS(SPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", data.label);
  const card = document.createElement("div");
  card.className = "card";
  card.hidden = true;
  const legend = document.createElement("div");
  legend.className = "legend";

  for (const [id, x, y, color, name, small, kind] of data.dots) {
    const dot = document.createElementNS(SPACE, "circle");
    dot.setAttribute("cx", MARGIN + x * (WIDTH - 2 * MARGIN));
    dot.setAttribute("cy", MARGIN + (1 - y) * (HEIGHT - 2 * MARGIN));
    dot.setAttribute("r", data.dots.length > 400 ? 6 : 8);
    dot.setAttribute("fill", color);
    dot.dataset.id = id;
    dot.dataset.kind = kind;
    dot.onpointerenter = () => show(dot, name, small, kind);
    dot.onpointerleave = () => (card.hidden = true);
    dot.onclick = () => map.pick(id);
    svg.append(dot);
  }

  for (const [kind, color] of data.legend) {
    const entry = document.createElement("span");
    const sign = document.createElement("i");
    sign.style.background = color;
    entry.append(sign, kind);
    entry.onpointerenter = () => only(color);
    entry.onpointerleave = () => only(null);
    legend.append(entry);
  }

  function only(color) {
    for (const dot of svg.children) {
      dot.classList.toggle("pale", color !== null && dot.getAttribute("fill") !== color);
    }
  }

  function show(dot, name, small, kind) {
    const image = document.createElement("img");
    const title = document.createElement("span");
    title.append(name);
    const group = document.createElement("small");
    group.append(kind);
    if (small) image.src = small;
    image.alt = "";
    card.replaceChildren(...(small ? [image] : []), title, group);
    card.hidden = false;
    const at = dot.getBoundingClientRect();
    const whole = map.getBoundingClientRect();
    const left = at.left - whole.left + at.width / 2 - card.offsetWidth / 2;
    card.style.left = `${Math.max(0, Math.min(left, whole.width - card.offsetWidth))}px`;
    const above = at.top - whole.top - card.offsetHeight - 8;
    card.style.top = `${above > 0 ? above : at.bottom - whole.top + 8}px`;
  }

  map.append(svg, card, legend);
  parentElement.append(map);
}
