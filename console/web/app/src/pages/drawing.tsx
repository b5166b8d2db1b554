// The relations of a dataset as a drawing: what leads to it on the left, what it
// leads to on the right. Names stay text, whatever they are made of.
import { useNavigate } from '@tanstack/react-router';
import { t } from '../texts';

interface Props {
  name: string;
  to: { name: string; to: string; many: boolean }[];
  from: { name: string; from: string; many: boolean }[];
}

const box = { width: 168, height: 36, gap: 20 };
const width = 760;
const middle = (width - box.width) / 2;

// most is how many neighbors there is room for; the table has them all.
const most = 12;

export function Drawing({ name, to, from }: Props) {
  const navigate = useNavigate();
  const right = to.slice(0, most);
  const left = from.slice(0, most);
  const rows = Math.max(right.length, left.length, 1);
  const height = rows * (box.height + box.gap) - box.gap + 16;
  const center = height / 2;
  const at = (index: number, count: number) => center - (count * (box.height + box.gap) - box.gap) / 2 + index * (box.height + box.gap);
  const go = (dataset: string) => void navigate({ to: '/catalog/$dataset', params: { dataset } });

  return (
    <div className="drawing-scroll" tabIndex={0} role="group" aria-label={t.catalog.drawingLabel}>
      <svg className="drawing" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={t.catalog.drawing(name, to.length, from.length)}>
        {left.map((relation, index) => {
          const y = at(index, left.length) + box.height / 2;
          return <Edge key={`${relation.from}.${relation.name}`} x1={box.width} y1={y} x2={middle} y2={center} label={relation.name} many={relation.many} side="left" />;
        })}
        {right.map((relation, index) => {
          const y = at(index, right.length) + box.height / 2;
          return <Edge key={relation.name} x1={middle + box.width} y1={center} x2={width - box.width} y2={y} label={relation.name} many={relation.many} side="right" />;
        })}
        {left.map((relation, index) => (
          <Node key={`${relation.from}.${relation.name}`} x={0} y={at(index, left.length)} name={relation.from} go={go} />
        ))}
        {right.map((relation, index) => (
          <Node key={relation.name} x={width - box.width} y={at(index, right.length)} name={relation.to} go={go} />
        ))}
        <g className="node here">
          <rect x={middle} y={center - box.height / 2} width={box.width} height={box.height} rx={8} />
          <text x={middle + box.width / 2} y={center + 5} textAnchor="middle">
            {short(name, 20)}
          </text>
        </g>
      </svg>
    </div>
  );
}

function Node({ x, y, name, go }: { x: number; y: number; name: string; go: (name: string) => void }) {
  return (
    <g className="node" onClick={() => go(name)}>
      <title>{name}</title>
      <rect x={x + 0.5} y={y} width={box.width - 1} height={box.height} rx={8} />
      <text x={x + box.width / 2} y={y + box.height / 2 + 5} textAnchor="middle">
        {short(name, 20)}
      </text>
    </g>
  );
}

function Edge({ x1, y1, x2, y2, label, many, side }: { x1: number; y1: number; x2: number; y2: number; label: string; many: boolean; side: 'left' | 'right' }) {
  const bend = (x1 + x2) / 2;
  const y = side === 'right' ? y2 : y1;
  return (
    <g className="edge">
      <path d={`M${x1} ${y1} C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`} />
      {many && (side === 'right' ? <Foot x={x2} y={y2} /> : <Foot x={x2} y={y2} />)}
      <text x={side === 'right' ? x2 - 14 : x1 + 10} y={y - 6} textAnchor={side === 'right' ? 'end' : 'start'}>
        {short(label, 15)}
      </text>
    </g>
  );
}

// Foot is the crow's foot at the end where there are many.
function Foot({ x, y }: { x: number; y: number }) {
  return <path d={`M${x} ${y - 6} L${x - 9} ${y} L${x} ${y + 6}`} />;
}

const short = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
