/**
 * Line and bar plots as SVG, without dependencies.
 *
 * @module
 */

/** A line or a set of bars. */
export interface Series {
  /** Its name in the legend. */
  readonly name: string;
  /** Points in ascending order of x. */
  readonly points: readonly (readonly [number, number])[];
}

/** What a plot is of. */
export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly kind: "line" | "bar";
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 20;
const TOP = 50;
const BOTTOM = 60;
const TICKS = 5;
const COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"];

/** The plot as an SVG document. */
export function svg(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points);
  const xs = points.map(([x]) => x);
  const [x0, x1] = plot.kind === "bar"
    ? [Math.min(...xs), Math.max(...xs)]
    : [0, niceTop(Math.max(...xs, 0))];
  const y1 = niceTop(Math.max(...points.map(([, y]) => y), 0));
  const pad = plot.kind === "bar" ? 0.5 : 0;
  const span = x1 - x0 + 2 * pad || 1;
  const px = (x: number) => LEFT + (x - x0 + pad) / span * (WIDTH - LEFT - RIGHT);
  const py = (y: number) => HEIGHT - BOTTOM - y / y1 * (HEIGHT - TOP - BOTTOM);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 20, plot.title, "middle", 15),
    text(WIDTH / 2, HEIGHT - 12, plot.x, "middle"),
    `<g transform="rotate(-90 16 ${HEIGHT / 2})">${text(16, HEIGHT / 2, plot.y, "middle")}</g>`,
  ];
  for (let i = 0; i <= TICKS; i++) {
    const y = y1 * i / TICKS;
    out.push(line(LEFT, py(y), WIDTH - RIGHT, py(y), "#ddd"));
    out.push(text(LEFT - 6, py(y) + 4, label(y), "end"));
  }
  const marks = plot.kind === "bar"
    ? [...new Set(xs)]
    : Array.from({ length: TICKS + 1 }, (_, i) => x0 + (x1 - x0) * i / TICKS);
  for (const x of marks) out.push(text(px(x), HEIGHT - BOTTOM + 18, label(x), "middle"));
  plot.series.forEach((series, i) => {
    const colour = COLOURS[i % COLOURS.length] as string;
    out.push(...(plot.kind === "line" ? lines(series) : bars(series, i)));
    out.push(`<rect x="${LEFT + 10 + i * 150}" y="30" width="10" height="10" fill="${colour}"/>`);
    out.push(text(LEFT + 25 + i * 150, 40, series.name, "start"));

    function lines({ points }: Series): string[] {
      const path = points.map(([x, y]) => `${round(px(x))},${round(py(y))}`).join(" ");
      return [`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`];
    }

    function bars({ points }: Series, index: number): string[] {
      const width = (px(1) - px(0)) * 0.8 / plot.series.length;
      return points.map(([x, y]) => {
        const left = px(x) - width * plot.series.length / 2 + index * width;
        return `<rect x="${round(left)}" y="${round(py(y))}" width="${round(width)}" height="${
          round(py(0) - py(y))
        }" fill="${colour}"/>`;
      });
    }
  });
  return out.join("\n") + "\n</svg>\n";
}

function niceTop(most: number): number {
  if (most <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((top) => top >= most) ?? most;
}

function label(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${
    round(y2)
  }" stroke="${colour}"/>`;
}

function text(x: number, y: number, content: string, anchor: string, size = 12): string {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${round(x)}" y="${
    round(y)
  }" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}
