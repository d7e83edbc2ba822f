// Choose a CSV file, and see its first lines before anything is sent.
import { cx, html, useEffect, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { bytes, t, tn } from '../words.js';

const SHOWN = 5;

/** Rows of a CSV text: quotes, doubled quotes, and commas, semicolons or tabs between. */
export function parseCsv(text, most = Infinity) {
  const source = text.replace(/^\uFEFF/, '');
  const firstLine = source.split(/\r?\n/, 1)[0];
  const comma = [';', '\t', ','].reduce((best, one) => (firstLine.split(one).length > firstLine.split(best).length ? one : best), ',');
  const rows = [];
  let row = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < source.length && rows.length < most; at += 1) {
    const letter = source[at];
    if (isQuoted) {
      if (letter === '"' && source[at + 1] === '"') { cell += '"'; at += 1; } else if (letter === '"') isQuoted = false;
      else cell += letter;
    } else if (letter === '"') isQuoted = true;
    else if (letter === comma) { row.push(cell); cell = ''; } else if (letter === '\n') {
      row.push(cell.replace(/\r$/, ''));
      rows.push(row);
      row = [];
      cell = '';
    } else cell += letter;
  }
  if (rows.length < most && (cell || row.length)) rows.push([...row, cell]);
  return rows.filter((one) => one.some((part) => part.trim()));
}

export function CsvDrop({ file, onFile, hint, onRows }) {
  const [rows, setRows] = useState(null);
  const [isDragged, setDragged] = useState(false);
  useEffect(() => {
    let isOver = false;
    if (file) file.text().then((text) => { if (!isOver) { const all = parseCsv(text); setRows(all); onRows?.(all); } });
    else setRows(null);
    return () => { isOver = true; };
  }, [file]);
  return html`<div class="stack"><label class=${cx('dropzone', { dragged: isDragged })} onDragOver=${(event) => { event.preventDefault(); setDragged(true); }} onDragLeave=${() => setDragged(false)}
      onDrop=${(event) => { event.preventDefault(); setDragged(false); onFile(event.dataTransfer.files[0] ?? null); }}>
      <${Icon} name="upload" size=${26} /><strong>${file ? file.name : t('csv.choose')}</strong><small>${file ? bytes(file.size) : hint}</small>
      <input class="visually-hidden" type="file" accept=".csv,text/csv" onChange=${(event) => onFile(event.target.files[0] ?? null)} /></label>
    ${rows?.length > 0 && html`<div><p class="picker-caption">${tn('csv.rows', Math.max(0, rows.length - 1))}</p><div class="table-box" tabindex="0"><table><caption class="visually-hidden">${t('csv.preview')}</caption><thead><tr>${rows[0].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.slice(1, SHOWN + 1).map((row, n) => html`<tr key=${n}>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div></div>`}</div>`;
}
