// The query's picture, on which a part can be drawn with the mouse or a finger.
const SMALLEST = 0.04; // of the picture's width and height; less is a click

export default function ({ data, parentElement, setTriggerValue }) {
  const old = parentElement.querySelector(".crop");
  if (old?.classList.contains("drawing")) return; // the page ran again under the visitor's finger
  old?.remove();
  const box = document.createElement("div");
  box.className = "crop";
  const image = document.createElement("img");
  image.src = data.src;
  image.alt = data.name;
  image.draggable = false;
  const frame = document.createElement("div");
  frame.className = "frame";
  box.append(image, frame);
  box.title = data.hint;
  parentElement.append(box);

  let region = data.region;
  let start = null;

  function show() {
    frame.hidden = !region;
    box.classList.toggle("part", Boolean(region));
    if (!region) return;
    for (const side of ["left", "top", "width", "height"]) {
      frame.style[side] = `${100 * region[side]}%`;
    }
  }

  function place(event) {
    const rectangle = image.getBoundingClientRect();
    const part = (value, from, size) => Math.min(1, Math.max(0, (value - from) / size));
    return {
      x: part(event.clientX, rectangle.left, rectangle.width),
      y: part(event.clientY, rectangle.top, rectangle.height),
    };
  }

  box.onpointerdown = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    box.setPointerCapture(event.pointerId);
    start = place(event);
    box.classList.add("drawing");
  };
  box.onpointermove = (event) => {
    if (!start) return;
    const end = place(event);
    region = {
      left: Math.min(start.x, end.x),
      top: Math.min(start.y, end.y),
      width: Math.abs(start.x - end.x),
      height: Math.abs(start.y - end.y),
    };
    show();
  };
  box.onpointercancel = () => {
    start = null;
    box.classList.remove("drawing");
    region = data.region;
    show();
  };
  box.onpointerup = () => {
    if (!start) return;
    start = null;
    box.classList.remove("drawing");
    if (!region || region.width < SMALLEST || region.height < SMALLEST) region = data.region;
    show();
    if (region && region !== data.region) setTriggerValue("cropped", region);
  };
  show();
}
