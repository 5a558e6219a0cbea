// Client of the HTTP control API: every request has the key from the page's URL in a header.

const key = new URLSearchParams(location.hash.slice(1)).get("key") ?? "";

export const hasKey = key !== "";

async function request(path, options = {}) {
  const headers = { ...(options.headers ?? {}), "X-Control-Key": key };
  const response = await fetch(`/_control/${path}`, { ...options, headers });
  if (response.ok) return response;
  const text = await response.text();
  let words = text;
  try { words = JSON.parse(text).error ?? text; } catch { /* plain text */ }
  throw Object.assign(new Error(words || response.statusText), { status: response.status });
}

export async function read(path, params, signal) {
  const query = new URLSearchParams(params);
  return (await request(`${path}?${query}`, { signal })).json();
}

export async function act(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await request(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// Send files; several in a row that may share an album are one.
export async function upload(fields, files) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== null && value !== undefined) form.append(name, value);
  files.forEach((file, number) => form.append(`file${number}`, file, file.name));
  return (await request("album", { method: "POST", body: form })).json();
}

const urls = new Map();

// The address of a file in this page; each file is read once.
export function fileUrl(id) {
  if (!urls.has(id)) urls.set(id, readFile(id).catch((error) => { urls.delete(id); throw error; }));
  return urls.get(id);
}

async function readFile(id) {
  const response = await request(`file?${new URLSearchParams({ id })}`);
  return URL.createObjectURL(await response.blob());
}

// Long polling: each response has a version, and the next request waits until the version differs.
export async function follow(path, params, signal, onData, onTrouble) {
  let since = -1;
  while (!signal.aborted) {
    try {
      const data = await read(path, { ...params, since }, signal);
      if (signal.aborted) return;
      since = data.version;
      onData(data);
      await pause(40);
    } catch (error) {
      if (signal.aborted) return;
      since = -1; // the next response comes immediately and clears the error
      onTrouble(error);
      await pause(1000);
    }
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
