import { isNumeric } from '@usher/client';
import { nothing, svg, html } from 'lit';

/** A small line of numbers, with a dot where it ends. It repeats what stands beside it, and is hidden from screen readers. */
export function spark(values: readonly unknown[], area = false): unknown {
  const numbers = values.map((value) => (isNumeric(value) ? Number(value) : Number.NaN));
  const known = numbers.filter((n) => Number.isFinite(n));
  if (known.length < 2) return nothing;
  const least = Math.min(...known);
  const most = Math.max(...known);
  // A line that hardly changes is drawn as one: from zero, if that is not too far away.
  const floor = least >= 0 && least > most * 0.6 ? most * 0.4 : least;
  const y = (n: number) => (most === floor ? 50 : 96 - ((n - floor) / (most - floor)) * 92);
  const x = (i: number) => (i / (numbers.length - 1)) * 100;
  const points = numbers.map((n, i) => [x(i), y(n)] as const).filter(([, at]) => Number.isFinite(at));
  const line = points.map(([a, b], i) => `${i ? 'L' : 'M'}${a.toFixed(2)} ${b.toFixed(2)}`).join('');
  const [lastX, lastY] = points.at(-1)!;
  return html`<svg class="spark" aria-hidden="true">
    <svg viewBox="0 0 100 100" preserveAspectRatio="none">
      ${area ? svg`<path class="under" d="${line}L${lastX} 100L${points[0]![0]} 100Z" />` : nothing}
      <path class="line" d=${line} />
    </svg>
    <circle cx="${lastX}%" cy="${lastY}%" r="2.5" />
  </svg>`;
}
