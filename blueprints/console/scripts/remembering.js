// What this browser remembers between visits. A browser that refuses to remember loses nothing else.
export function remembered(name, fallback) {
  try {
    const text = localStorage.getItem(`panal.${name}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`panal.${name}`, JSON.stringify(value));
  } catch {
    // Private windows may refuse.
  }
}
