// Lines over the last hour, as SVG, with the value under the pointer. Colours and fonts come from the style sheet.
import { html, useRef, useState } from './ui.js';
import { clockSeconds, t } from './words.js';

const WIDTH = 600;
const HEIGHT = 120;
const GAP_MS = 35_000;

/** A round number at or above the largest value. */
export function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** `points` are [time in ms, value]; a pause in them is a pause in the line. */
export function LineChart({ title, points, format, from, to, tone = 'honey' }) {
  const [at, setAt] = useState(null);
  const box = useRef();
  const top = ceiling(Math.max(...points.map(([, value]) => value), 0));
  const x = (time) => ((time - from) / (to - from)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * (HEIGHT - 8);
  const lines = [];
  for (const [position, [time, value]] of points.entries()) {
    if (position === 0 || time - points[position - 1][0] > GAP_MS) lines.push([]);
    lines.at(-1).push(`${x(time).toFixed(1)},${y(value).toFixed(1)}`);
  }
  const point = at === null ? points.at(-1) : points.reduce((best, one) => (Math.abs(one[0] - at) < Math.abs(best[0] - at) ? one : best), points[0]);
  const look = (event) => {
    const area = box.current.getBoundingClientRect();
    setAt(from + ((event.clientX - area.left) / area.width) * (to - from));
  };
  const words = point ? format(point[1]) : '—';
  return html`<figure class=${`chart ${tone}`}><figcaption><span>${title}</span><strong>${words}</strong><small>${at !== null && point ? clockSeconds(point[0]) : t('chart.now')}</small></figcaption>
    <svg ref=${box} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${t('chart.label', { title, value: words, top: format(top) })} onPointerMove=${look} onPointerLeave=${() => setAt(null)}>
      <line class="grid" x1="0" x2=${WIDTH} y1=${y(top)} y2=${y(top)} /><line class="grid" x1="0" x2=${WIDTH} y1=${y(top / 2)} y2=${y(top / 2)} /><line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT} y2=${HEIGHT} />
      ${lines.map((line) => (line.length > 1 ? html`<polygon class="area" points=${`${line[0].split(',')[0]},${HEIGHT} ${line.join(' ')} ${line.at(-1).split(',')[0]},${HEIGHT}`} /><polyline class="line" points=${line.join(' ')} />` : null))}
      ${at !== null && point && html`<line class="cursor" x1=${x(point[0])} x2=${x(point[0])} y1="0" y2=${HEIGHT} />`}</svg>
    <div class="chart-feet" aria-hidden="true"><span>${t('chart.hour')}</span><span>${format(top)}</span></div></figure>`;
}
