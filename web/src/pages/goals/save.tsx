/** A rule on its way into the loop's config: first the difference, then a change of the person's own, which `mm undo` takes back. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Diff } from '../../parts/diff.tsx'
import { planOf } from '../../parts/planned.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { go, hrefOf } from '../../route.ts'
import type { Rule } from './rules.tsx'

type Wanted = { set: Rule['rule'] } | { remove: string }
type Draft = ApiAnswer<'POST /api/meta/rules/draft'>

/** A rule changes no call: there is nothing to be measured. */
const AT_ONCE = { window_ms: 1_000, samples_min: 0 }

/** What was looked at is what is written: a file that moved on meanwhile is refused. */
function changing(wanted: Wanted, title: string) {
  let draft: Draft | undefined
  return {
    preview: async () => {
      draft = await ask('POST /api/meta/rules/draft', { body: wanted })
      const { file, before, text } = draft
      return (
        <>
          <Diff label={file} before={before} after={text} />
          {await planOf([{ path: file, text }])}
        </>
      )
    },
    run: async (): Promise<ToastText> => {
      const { file, base_hash, text } = draft ?? (await ask('POST /api/meta/rules/draft', { body: wanted }))
      const { id, state, message } = await ask('POST /api/changes', {
        body: {
          actor: 'dashboard',
          service: 'meta-loop',
          title,
          intent: title,
          edits: [{ path: file, base_hash, text }],
          verify: AT_ONCE,
        },
      })
      if (state === 'refused' || state === 'failed' || state === 'stale')
        throw { code: state, message, hint: `mm show change ${id}` }
      go(hrefOf('goals', [], { tab: 'rules' }))
      return {
        tone: state === 'queued' || state === 'waiting' ? 'warn' : 'good',
        text: `${title}: ${id} ${state}`,
        detail: message,
        href: hrefOf('changes', [id]),
      }
    },
  }
}

export function SaveRule({ rule, disabled }: { rule: Rule['rule']; disabled: boolean }) {
  return (
    <Action
      label="Save the rule"
      command={commandOf('set_rule', { rule: JSON.stringify(rule) })}
      kind="primary"
      disabled={disabled}
      {...(disabled ? { reason: 'It is not whole yet' } : {})}
      {...changing({ set: rule }, `rule ${rule.name}`)}
    />
  )
}

export function RemoveRule({ name }: { name: string }) {
  return (
    <Action
      label={`Remove ${name}`}
      command={commandOf('remove_rule', { name })}
      {...changing({ remove: name }, `without rule ${name}`)}
    />
  )
}
