// The parameters of a dashboard, each with the values that it may have.
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { readDigits } from '../digits';
import { t } from '../texts';
import { Button, Select, TextField } from '../ui/controls';
import type { Parameter } from './document';

const types = ['String', '[String!]!', 'Int', 'Decimal', 'Boolean', 'Timestamp!', 'Date', 'LocalTimestamp'];

export function Parameters({ parameters, onChange }: { parameters: Parameter[]; onChange: (parameters: Parameter[], kind: string) => void }) {
  const set = (i: number, part: Partial<Parameter>, kind = '') => onChange(parameters.map((one, at) => (at === i ? said({ ...one, ...part }) : one)), kind && `${kind} ${i}`);
  return (
    <div className="edit-form">
      <p className="muted small">{t.editor.parametersWords}</p>
      {parameters.map((parameter, i) => (
        <fieldset key={i} className="edit-parameter">
          <legend className="label">{parameter.label ?? parameter.name}</legend>
          <div className="columns">
            <TextField label={t.editor.parameterName} value={parameter.name} wrong={/^[_A-Za-z]\w{0,62}$/.test(parameter.name) ? undefined : t.editor.nameForm} onChange={(name) => set(i, { name }, 'parameter name')} autoComplete="off" mono />
            <TextField label={t.editor.parameterLabel} value={parameter.label ?? ''} onChange={(label) => set(i, { label }, 'parameter label')} autoComplete="off" />
          </div>
          <div className="columns">
            <TextField label={t.editor.parameterType} hint={types.join(' · ')} value={parameter.type} onChange={(type) => set(i, { type }, 'parameter type')} autoComplete="off" mono />
            <Select label={t.editor.control} value={parameter.control ?? ''} onChange={(control) => set(i, { control: control as Parameter['control'] })} choices={Object.entries(t.editor.controls).map(([id, name]) => ({ id, name }))} />
          </div>
          <Value label={t.editor.preset} hint={t.editor.presetHint} value={parameter.default} onChange={(preset) => set(i, { default: preset }, 'parameter default')} />
          {parameter.control === 'select' && <Value label={t.editor.options} hint={t.editor.optionsHint} value={parameter.options} onChange={(options) => set(i, { options: options as Parameter['options'] }, 'parameter options')} lines={4} />}
          <Button small onPress={() => onChange(parameters.filter((_one, at) => at !== i), '')}>
            <Trash2 size={14} aria-hidden />
            {t.editor.removeParameter(parameter.name)}
          </Button>
        </fieldset>
      ))}
      <Button small onPress={() => onChange([...parameters, { name: `parameter${parameters.length + 1}`, type: 'String', control: 'text' }], '')}>
        <Plus size={14} aria-hidden />
        {t.editor.addParameter}
      </Button>
    </div>
  );
}

// said leaves out what is not given: a default may be false, or an empty text.
const said = (parameter: Parameter): Parameter => Object.fromEntries(Object.entries(parameter).filter(([name, value]) => value !== undefined && !(value === '' && (name === 'label' || name === 'control')))) as unknown as Parameter;

function Value({ label, hint, value, onChange, lines }: { label: string; hint: string; value: unknown; onChange: (value: unknown) => void; lines?: number }) {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, undefined, lines ? 1 : undefined));
  let wrong = false;
  try {
    if (text.trim() !== '') wrong = readDigits(text) === null;
  } catch {
    wrong = true;
  }
  return (
    <TextField
      label={label}
      hint={hint}
      wrong={wrong ? t.editor.badValue : undefined}
      value={text}
      lines={lines}
      mono
      autoComplete="off"
      onChange={(next) => {
        setText(next);
        try {
          const read: unknown = next.trim() === '' ? undefined : readDigits(next);
          if (read !== null) onChange(read);
        } catch {
          // not yet
        }
      }}
    />
  );
}
