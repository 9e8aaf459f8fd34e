/** What a rule would change when it holds: one value of a config, or nothing. It goes through the policy like all changes. */
import { SelectField, TextField } from '../../parts/field.tsx'
import { services } from '../../live/index.ts'
import type { PartProps } from './builder.tsx'
import type { RuleDraft } from './draft.ts'

type Kind = RuleDraft['change']['kind']

const KINDS: readonly { value: Kind; text: string }[] = [
  { value: 'none', text: 'nothing: it only tells' },
  { value: 'factor', text: 'a value, multiplied' },
  { value: 'add', text: 'a value, with something added' },
  { value: 'value', text: 'a value, set' },
]
const BY: Record<Kind, string> = { none: '', factor: 'Multiplied by', add: 'Added', value: 'Set to (JSON)' }

export function ChangeFields({ draft: { change }, set, said }: PartProps) {
  const put = (more: Partial<RuleDraft['change']>, place?: string): void =>
    set({ change: { ...change, ...more } }, ...(place === undefined ? [] : [place]))
  const files = [...new Set((services.value ?? []).map(({ config_file }) => config_file))].sort()
  return (
    <>
      <SelectField
        label="It would change"
        value={change.kind}
        choices={KINDS}
        onPick={(kind) => put({ kind: kind as Kind })}
      />
      {change.kind !== 'none' && (
        <>
          <TextField
            label="Config"
            value={change.file}
            choices={files}
            error={said('file')}
            onInput={(file) => put({ file }, 'file')}
          />
          <TextField label="Key" value={change.key} error={said('key')} onInput={(key) => put({ key }, 'key')} />
          <TextField label={BY[change.kind]} value={change.by} error={said('by')} onInput={(by) => put({ by }, 'by')} />
        </>
      )}
    </>
  )
}
