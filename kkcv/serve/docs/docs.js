// Draws /openapi.json, with a form to try each operation. All text is set as text, never as HTML.
"use strict";

const main = document.getElementById("docs");

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function resolve(document, schema) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.split("/").slice(1).reduce((at, key) => at[key], document);
}

function typeOf(document, schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf) return schema.oneOf.map((each) => typeOf(document, each)).join(" or ");
  if (schema.anyOf) return schema.anyOf.map((each) => typeOf(document, each)).join(" or ");
  if (schema.type === "array") return "list of " + typeOf(document, schema.items || {});
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  let text = schema.type || (schema.enum ? "one of" : "any");
  if (schema.contentEncoding) text = "base64 text";
  if (schema.format === "binary") text = "file";
  if (schema.enum) text += " " + schema.enum.join(", ");
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum;
  if (schema.exclusiveMinimum !== undefined && high !== undefined) text += ` above ${low} … ${high}`;
  else if (low !== undefined && high !== undefined && high < 1e12) text += ` ${low} … ${high}`;
  if (schema.maxItems) text += `, at most ${schema.maxItems}`;
  return text;
}

function fieldsTable(document, schema) {
  const required = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([name, each]) =>
    element(
      "tr", {},
      element("td", {}, element("code", {}, name), required.has(name) ? " *" : ""),
      element("td", {}, typeOf(document, each), ...inner(document, each)),
      element("td", {}, each.default !== undefined ? JSON.stringify(each.default) : ""),
      element("td", {}, each.description || resolve(document, each).description || ""),
    ),
  );
  const head = ["name", "type", "default", ""].map((text) => element("th", {}, text));
  return element("div", { class: "table" },
    element("table", {}, element("tr", {}, ...head), ...rows));
}

// The objects that a field may hold, each with the table of its own fields, folded.
function inner(document, schema) {
  const kinds = schema.anyOf || schema.oneOf || [schema.type === "array" ? schema.items : schema];
  return kinds.flatMap((each) => {
    if (!each) return [];
    if (each.type === "array" || each.anyOf || each.oneOf) return inner(document, each);
    if (!each.$ref) return [];
    return [element("details", { class: "inner" },
      element("summary", {}, typeOf(document, each)), fieldsTable(document, resolve(document, each)))];
  });
}

// An answer of this form: examples and defaults where the schema has them, else a value of the type.
function answerOf(document, schema, name = "") {
  schema = resolve(document, schema);
  if (schema.examples) return schema.examples[0];
  if (schema.anyOf) return answerOf(document, schema.anyOf.find((each) => each.type !== "null") || {}, name);
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") return [answerOf(document, schema.items || schema.prefixItems?.[0] || {}, name)];
  if (schema.type === "object" && schema.properties)
    return Object.fromEntries(Object.entries(schema.properties).map(([key, each]) => [key, answerOf(document, each, key)]));
  if (schema.type === "object") return {};
  if (schema.type === "boolean") return schema.default ?? false;
  if (schema.type === "integer") return schema.default ?? 1;
  if (schema.type === "number") return schema.default ?? 0.87;
  if (schema.format === "date-time") return "2026-01-31T12:00:00Z";
  return schema.default || name || null;
}

function sampleOf({ lang, source }, document) {
  const here = location.origin + document.servers[0].url.replace(/\/$/, "");
  return [element("h4", {}, lang), element("pre", { class: "sample" }, source.replaceAll("http://127.0.0.1:8000", here))];
}

function example(document, schema) {
  schema = resolve(document, schema);
  if (schema.examples) return schema.examples[0];
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.anyOf) return example(document, schema.anyOf[0]);
  if (schema.type === "array") return [example(document, schema.items)];
  if (schema.type !== "object") return null;
  const wanted = Object.entries(schema.properties || {}).filter(
    ([name, each]) => (schema.required || []).includes(name) || each.default !== null,
  );
  return Object.fromEntries(wanted.map(([name, each]) => [name, example(document, each) ?? {}]));
}

async function asBase64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

const CHOSEN = "(the file that was chosen)";

async function show(answer, output) {
  const type = answer.headers.get("content-type") || "";
  const head = element("p", { class: answer.ok ? "good" : "bad" }, `${answer.status} ${type}`);
  if (type.startsWith("image/")) {
    const address = URL.createObjectURL(await answer.blob());
    output.replaceChildren(head, element("img", { src: address, alt: "" }));
    return;
  }
  let text = await answer.text();
  try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* as it is */ }
  output.replaceChildren(head, element("pre", {}, text));
}

function tryForm(document, path, method, operation, key) {
  const inputs = (operation.parameters || []).map((parameter) => {
    const input = element("input", {
      name: parameter.name,
      value: parameter.schema.default ?? (parameter.in === "path" ? "1" : ""),
    });
    return { parameter, input };
  });
  const media = Object.keys(operation.requestBody?.content || {});
  const json = media.includes("application/json");
  const schema = media.length ? resolve(document, operation.requestBody.content[media[0]].schema) : {};
  const text = json ? element("textarea", { rows: 8, spellcheck: "false" }) : null;
  if (text) text.value = JSON.stringify(example(document, schema), null, 2);
  const hasPicture = Boolean(schema.properties?.image);
  const picture = hasPicture ? element("input", { type: "file", accept: "image/*" }) : null;
  const output = element("div", { class: "answer" });

  if (picture && text) picture.addEventListener("change", () => {
    const body = JSON.parse(text.value);
    if (picture.files[0]) body.image = CHOSEN;
    text.value = JSON.stringify(body, null, 2);
  });

  async function send(event) {
    event.preventDefault();
    const query = new URLSearchParams();
    let address = document.servers[0].url.replace(/\/$/, "") + path;
    for (const { parameter, input } of inputs) {
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "") query.set(parameter.name, input.value);
    }
    if (String(query)) address += "?" + query;
    const options = { method: method.toUpperCase(), headers: {} };
    if (key?.value) options.headers["Authorization"] = "Bearer " + key.value;
    if (text) {
      const file = picture?.files[0];
      options.body = file
        ? text.value.replace(JSON.stringify(CHOSEN), JSON.stringify(await asBase64(file)))
        : text.value;
      options.headers["Content-Type"] = "application/json";
    } else if (picture) {
      options.body = new FormData();
      if (picture.files[0]) options.body.set("image", picture.files[0]);
    }
    output.replaceChildren("…");
    try { await show(await fetch(address, options), output); }
    catch (error) { output.replaceChildren(element("p", { class: "bad" }, String(error))); }
  }

  const labels = inputs.map(({ parameter, input }) => element("label", {}, parameter.name, input));
  if (picture) labels.push(element("label", {}, "image", picture));
  return element("form", { onsubmit: send },
    element("div", { class: "inputs" }, ...labels), ...(text ? [text] : []),
    element("button", {}, "Send"), output);
}

function drawOperation(document, path, method, operation, key) {
  const responses = Object.entries(operation.responses).map(([status, each]) =>
    element("tr", {},
      element("td", {}, status),
      element("td", {}, Object.values(each.content || {}).map((c) => typeOf(document, c.schema)).join(", ")),
      element("td", {}, each.description)));
  const parts = [];
  if (operation.description) parts.push(element("p", {}, operation.description.replaceAll("`", "")));
  const parameters = operation.parameters || [];
  if (parameters.length) {
    const properties = Object.fromEntries(parameters.map((p) => [p.name, { ...p.schema, description: p.description }]));
    const required = parameters.filter((p) => p.required).map((p) => p.name);
    parts.push(element("h4", {}, "Parameters"), fieldsTable(document, { properties, required }));
  }
  for (const [media, content] of Object.entries(operation.requestBody?.content || {}))
    parts.push(element("h4", {}, "Body, ", element("code", {}, media)), fieldsTable(document, resolve(document, content.schema)));
  parts.push(element("h4", {}, "Answers"), element("div", { class: "table" }, element("table", {}, ...responses)));
  const good = Object.entries(operation.responses).find(([status, each]) => status < "300" && each.content?.["application/json"]);
  if (good) {
    const schema = good[1].content["application/json"].schema;
    parts.push(element("pre", { class: "example" }, JSON.stringify(answerOf(document, schema), null, 2)),
      ...inner(document, schema));
  }
  for (const each of operation["x-codeSamples"] || []) parts.push(...sampleOf(each, document));
  parts.push(element("h4", {}, "Try it"), tryForm(document, path, method, operation, key));
  return element("details", { id: operation.operationId },
    element("summary", {},
      element("span", { class: "method " + method }, method.toUpperCase()),
      element("code", {}, path), element("span", { class: "what" }, operation.summary)),
    ...parts);
}

async function draw() {
  const document = await (await fetch("openapi.json")).json();
  const needsKey = Boolean(document.components.securitySchemes);
  const key = needsKey ? element("input", { type: "password", autocomplete: "off" }) : null;
  const parts = [
    element("h1", {}, document.info.title, " ", element("small", {}, document.info.version)),
    element("p", {}, document.info.summary, " ", document.info.description.replaceAll("`", ""),
      " ", element("a", { href: "openapi.json" }, "openapi.json")),
  ];
  if (key) parts.push(element("label", { class: "key" }, "API key", key));
  for (const tag of document.tags) {
    parts.push(element("h2", {}, tag.name));
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods))
        if (operation.tags.includes(tag.name)) parts.push(drawOperation(document, path, method, operation, key));
  }
  main.replaceChildren(...parts);
  const wanted = location.hash && window.document.getElementById(location.hash.slice(1));
  if (wanted) wanted.open = true;
}

draw().catch((error) => main.replaceChildren(element("p", { class: "bad" }, String(error))));
