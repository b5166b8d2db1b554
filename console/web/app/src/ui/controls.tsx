// The controls of the console: react-aria's behaviour in our clothes.
import { Check, ChevronDown, Search, X } from 'lucide-react';
import { useState, type ReactNode, type RefAttributes } from 'react';
import {
  Button as AriaButton,
  Checkbox as AriaCheckbox,
  CheckboxGroup,
  ComboBox as AriaComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SearchField as AriaSearchField,
  Select as AriaSelect,
  SelectValue,
  Text,
  TextArea,
  TextField as AriaTextField,
  type ButtonProps,
  type CheckboxProps,
  type TextFieldProps,
} from 'react-aria-components';
import { t } from '../texts';

type Look = 'primary' | 'danger' | 'quiet';

// Button keeps the focus that it has while it cannot be pressed.
export function Button({ look, small, icon, className, isDisabled, ...props }: Omit<ButtonProps, 'className'> & RefAttributes<HTMLButtonElement> & { look?: Look; small?: boolean; icon?: boolean; className?: string }) {
  const [focused, setFocused] = useState(false);
  const held = Boolean(isDisabled) && focused;
  const inert = held && { onPress: undefined, type: 'button' as const, render: (own: React.ComponentProps<'button'>) => <button {...own} aria-disabled data-disabled /> };
  return <AriaButton {...props} isDisabled={isDisabled && !held} onFocusChange={setFocused} className={classes('button', look, small && 'small', icon && 'icon', className)} {...inert} />;
}

export const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');

export function TextField({ label, hint, wrong, placeholder, lines, mono, hidden, ...props }: Omit<TextFieldProps, 'className' | 'children'> & { label: string; hidden?: boolean; hint?: string; wrong?: string; placeholder?: string; lines?: number; mono?: boolean }) {
  return (
    <AriaTextField {...props} aria-label={hidden ? label : undefined} isInvalid={wrong !== undefined || props.isInvalid} className="field">
      {!hidden && <Label>{label}</Label>}
      {lines ? <TextArea className={classes('input', mono && 'mono')} rows={lines} placeholder={placeholder} spellCheck={false} /> : <Input className={classes('input', mono && 'mono')} placeholder={placeholder} />}
      {hint && !wrong && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="wrong">{wrong}</FieldError>
    </AriaTextField>
  );
}

export function SearchField({ label, value, onChange, autoFocus }: { label: string; value: string; onChange: (value: string) => void; autoFocus?: boolean }) {
  return (
    <AriaSearchField aria-label={label} value={value} onChange={onChange} autoFocus={autoFocus} className="search">
      <Search size={16} aria-hidden />
      <Input className="input" placeholder={label} />
      <AriaButton className="clear" aria-label={t.clear}>
        <X size={14} aria-hidden />
      </AriaButton>
    </AriaSearchField>
  );
}

export interface Choice {
  id: string;
  name: string;
  under?: string;
}

export function Select({ label, choices, value, onChange, hidden, small, placeholder }: { label: string; choices: Choice[]; value: string | null; onChange: (id: string) => void; hidden?: boolean; small?: boolean; placeholder?: string }) {
  return (
    <AriaSelect
      className={classes('field select', small && 'small')}
      aria-label={hidden ? label : undefined}
      placeholder={placeholder}
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
    >
      {!hidden && <Label className="label">{label}</Label>}
      <AriaButton className="trigger">
        <SelectValue>{({ selectedText, defaultChildren, isPlaceholder }) => (isPlaceholder ? defaultChildren : selectedText)}</SelectValue>
        <ChevronDown size={16} aria-hidden />
      </AriaButton>
      <Popover className="popover wide-as-trigger">
        <ListBox className="menu" items={choices}>
          {(choice) => (
            <ListBoxItem className="item" textValue={choice.name}>
              <span className="truncate">{choice.name}</span>
              <Check size={14} className="check-mark" aria-hidden />
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

// ComboBox chooses one of many that are looked for as one types; a custom one also takes
// what is not among them.
export function ComboBox({ label, choices, value, text, onText, onChange, empty, custom, hint, wrong, hidden, placeholder, autoFocus, still, onLeave }: { label: string; placeholder?: string; autoFocus?: boolean; still?: boolean; onLeave?: () => void; choices: Choice[]; value: string | null; text: string; onText: (text: string) => void; onChange: (id: string | null) => void; empty?: string; custom?: boolean; hint?: string; wrong?: string; hidden?: boolean }) {
  // One that has the focus at first, or was given it, opens when something is typed.
  const [quiet, setQuiet] = useState(autoFocus);
  return (
    <AriaComboBox
      className="field"
      autoFocus={autoFocus}
      onBlur={() => {
        setQuiet(false);
        onLeave?.();
      }}
      aria-label={hidden ? label : undefined}
      items={choices}
      value={value}
      onChange={(key) => onChange(key === null ? null : String(key))}
      inputValue={text}
      onInputChange={onText}
      isInvalid={wrong !== undefined}
      allowsEmptyCollection={!custom}
      allowsCustomValue={custom}
      menuTrigger={quiet || still ? 'input' : 'focus'}
    >
      {!hidden && <Label>{label}</Label>}
      <div className="combo">
        <Input className="input" placeholder={placeholder} />
        <AriaButton className="open" aria-label={t.show}>
          <ChevronDown size={16} aria-hidden />
        </AriaButton>
      </div>
      {hint && !wrong && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="wrong">{wrong}</FieldError>
      <Popover className="popover wide-as-trigger">
        <ListBox className="menu" renderEmptyState={() => <p className="item muted">{empty}</p>}>
          {(choice: Choice) => (
            <ListBoxItem className="item" textValue={choice.name}>
              <span className="truncate">{choice.name}</span>
              {choice.under && <span className="muted tiny truncate">{choice.under}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaComboBox>
  );
}

export function Checkbox({ children, hint, ...props }: Omit<CheckboxProps, 'className' | 'children'> & { children: ReactNode; hint?: string }) {
  return (
    <AriaCheckbox {...props} className="check">
      <span className="box" aria-hidden>
        <Check size={13} strokeWidth={3} />
      </span>
      <span>
        {children}
        {hint && <span className="hint">{hint}</span>}
      </span>
    </AriaCheckbox>
  );
}

export function Checks({ label, choices, value, onChange }: { label: string; choices: Choice[]; value: string[]; onChange: (ids: string[]) => void }) {
  return (
    <CheckboxGroup className="field" value={value} onChange={onChange}>
      <Label>{label}</Label>
      <div className="checks">
        {choices.map((choice) => (
          <Checkbox key={choice.id} value={choice.id} hint={choice.under}>
            {choice.name}
          </Checkbox>
        ))}
      </div>
    </CheckboxGroup>
  );
}
