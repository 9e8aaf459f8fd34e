/** The swap: what takes over from what, and what goes on meanwhile; and afterwards how long it paused and what failed. */
import { ask } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { readServices } from '../../live/index.ts'
import { Action } from '../../parts/action.tsx'
import { Badge } from '../../parts/badge.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import type { About } from './index.tsx'
import { Reason } from './versions.tsx'

/** The one a swap would try: the newest, also one that was refused; the one that runs, loaded anew, where it is that. */
export const candidateOf = ({ versions }: Pick<About, 'versions'>): About['versions'][number] | undefined =>
  versions.find(({ state }) => state !== 'older')

export function SwapAction({ about }: { about: About }) {
  const next = candidateOf(about)
  const isOther = next !== undefined && next.state !== 'running'
  return (
    <Action
      label={isOther ? `Swap to ${next.version}` : 'Load it anew'}
      command={commandOf('swap')}
      kind={isOther ? 'primary' : 'normal'}
      preview={preview}
      run={swap}
    />
  )
}

async function preview() {
  const [about, all] = await Promise.all([ask('GET /api/kernel'), readServices()])
  const next = candidateOf(about)
  const sum = (read: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + read(one), 0)
  return (
    <>
      <dl class="facts">
        <dt>Serves now</dt>
        <dd>
          {about.version} ({about.meta_file})
        </dd>
        <dt>Is tried</dt>
        <dd class="row">
          {next === undefined ? 'nothing: there is no meta file' : `${next.version} (${next.meta_file})`}
          {next?.state === 'refused' && <Badge tone="bad">was refused</Badge>}
          {next?.state === 'running' && <Badge tone="info">the same, loaded anew</Badge>}
        </dd>
        <dt>Services taken over</dt>
        <dd>{all.filter(({ state }) => state === 'live').length} live; none is built again</dd>
        <dt>Calls under way</dt>
        <dd>
          {sum(({ in_flight }) => in_flight)}, and {sum(({ queued }) => queued)} that wait: they go on
        </dd>
        <dt>Tasks</dt>
        <dd>{sum(({ tasks }) => tasks)}: they go on</dd>
        <dt>If it fails</dt>
        <dd>
          {about.version} goes on: at the trial in a thread, at the switch, and while it is on probation afterwards
        </dd>
      </dl>
      {next?.error != null && <Reason error={next.error} />}
    </>
  )
}

async function counts(): Promise<{ calls: number; errors: number }> {
  const all = await readServices()
  return all.reduce((sum, one) => ({ calls: sum.calls + one.calls, errors: sum.errors + one.errors }), {
    calls: 0,
    errors: 0,
  })
}

async function swap(): Promise<ToastText> {
  const before = await counts()
  const { ok, from, to, pause_ms, error } = await ask('POST /api/kernel/swap')
  if (!ok) throw error ?? { code: 'kernel_unwell', message: `${to} did not take over` }
  const after = await counts()
  const failed = after.errors - before.errors
  return {
    tone: failed > 0 ? 'warn' : 'good',
    text: `kernel ${from} → ${to}: paused ${pause_ms ?? 0} ms, ${failed} failed`,
    detail: `${after.calls - before.calls} calls were answered meanwhile`,
    href: '#/kernel',
  }
}
