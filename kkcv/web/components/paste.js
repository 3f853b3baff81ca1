// Listens for a picture that is pasted anywhere on the page.
const LARGEST = 64 * 1024 * 1024;

export default function ({ setTriggerValue }) {
  function paste(event) {
    const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
    if (!file || file.size > LARGEST) return;
    event.preventDefault();
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("pasted", { name: file.name, url: reader.result });
    reader.readAsDataURL(file);
  }
  document.addEventListener("paste", paste);
  document.body.dataset.paste = "ready";
  return () => document.removeEventListener("paste", paste);
}
