/** Fields of forms: each with its label, a hint, and what is wrong with it. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface Common {
  label: string
  hint?: string
  /** what is wrong with what stands in it */
  error?: string | undefined
  /** the label is only said to a screen reader: for filters in a row */
  bare?: boolean
}

export interface FieldProps extends Common {
  /** the input: gets the id its label is for, and the id of what describes it */
  children: (ids: {
    id: string
    'aria-describedby': string | undefined
    'aria-invalid': true | undefined
  }) => ComponentChildren
}

/** The frame of a field: for an input of one's own. */
export function Field({ label, hint, error, bare = false, children }: FieldProps) {
  const id = useId()
  const about = hint === undefined && error === undefined ? undefined : `${id}-about`
  return (
    <div class="field">
      <label for={id} class={bare ? 'unseen' : undefined}>
        {label}
      </label>
      {children({ id, 'aria-describedby': about, 'aria-invalid': error === undefined ? undefined : true })}
      {about !== undefined && (
        <div id={about} class={error === undefined ? 'hint' : 'hint is-bad'}>
          {error ?? hint}
        </div>
      )}
    </div>
  )
}

export interface TextFieldProps extends Common {
  value: string
  onInput: (value: string) => void
  placeholder?: string
  /** @default 'text' */
  type?: 'text' | 'search' | 'number' | 'password'
  /** more than one line */
  lines?: number
  /** offered while it is typed */
  choices?: readonly string[]
}

export function TextField({ value, onInput, placeholder, type = 'text', lines, choices, ...frame }: TextFieldProps) {
  const list = useId()
  // Preact's types have an element for each; which one it is does not matter here.
  const kind = { type } as { type: 'text' }
  return (
    <Field {...frame}>
      {(ids) =>
        lines === undefined ? (
          <>
            <input
              {...ids}
              {...kind}
              value={value}
              placeholder={placeholder}
              list={choices === undefined ? undefined : list}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => onInput(event.currentTarget.value)}
            />
            {choices !== undefined && (
              <datalist id={list}>
                {choices.map((choice) => (
                  <option key={choice} value={choice} />
                ))}
              </datalist>
            )}
          </>
        ) : (
          <textarea
            {...ids}
            rows={lines}
            value={value}
            placeholder={placeholder}
            spellcheck={false}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        )
      }
    </Field>
  )
}

export interface SelectFieldProps extends Common {
  value: string
  onPick: (value: string) => void
  choices: readonly (string | { value: string; text: string })[]
}

export function SelectField({ value, onPick, choices, ...frame }: SelectFieldProps) {
  return (
    <Field {...frame}>
      {(ids) => (
        <select {...ids} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
          {choices.map((choice) => {
            const { value: one, text } = typeof choice === 'string' ? { value: choice, text: choice } : choice
            return (
              <option key={one} value={one}>
                {text}
              </option>
            )
          })}
        </select>
      )}
    </Field>
  )
}

export interface CheckFieldProps {
  label: string
  checked: boolean
  onPick: (checked: boolean) => void
}

export function CheckField({ label, checked, onPick }: CheckFieldProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onPick(event.currentTarget.checked)} />
      {label}
    </label>
  )
}
