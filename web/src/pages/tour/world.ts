/**
 * The tour, led from the page: it has no disk, so files are written by the service `filesystem`. That one may not touch
 * a kernel's meta file, and neither may a page: it is proposed as a change, in the name of the person.
 */
import { signal } from '@preact/signals'
import type { TourWorld } from '../../../../cli/tour/world.ts'
import { ask, refusal } from '../../api/client.ts'

export interface Progress {
  outcome: 'done' | 'skipped'
  /** what the system showed of it */
  found: string
}

const KEPT = 'tour'

interface Kept {
  steps: Record<string, Progress>
  notes: [string, number | string][]
}

function kept(): Kept {
  const text = sessionStorage.getItem(KEPT)
  return text === null ? { steps: {}, notes: [] } : (JSON.parse(text) as Kept)
}

/** By step; kept for this tab. */
export const progress = signal<Readonly<Record<string, Progress>>>(kept().steps)

export const world: TourWorld = {
  ask,
  write: (path, text) => (path.startsWith('configs/meta') ? proposeMeta(path, text) : writeFile(path, text)),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  late: (what, ms) =>
    refusal('deadline_exceeded', `Nothing came of it in ${ms / 1_000} s: ${what}`, 'The logs say more.'),
  notes: new Map(kept().notes),
}

export function keep(step: string, now: Progress | undefined): void {
  const { [step]: _before, ...rest } = progress.value
  progress.value = now === undefined ? rest : { ...rest, [step]: now }
  sessionStorage.setItem(KEPT, JSON.stringify({ steps: progress.value, notes: [...world.notes] } satisfies Kept))
}

export function startAnew(): void {
  world.notes.clear()
  progress.value = {}
  sessionStorage.removeItem(KEPT)
}

const files = async (method: string, ...args: unknown[]): Promise<unknown> =>
  (await ask('POST /api/services/{api}/call', { params: { api: 'filesystem' }, body: { method, args } })).result

/** Undefined: it is not there. */
async function hashOf(path: string): Promise<string | undefined> {
  try {
    return ((await files('read_file', path)) as { hash?: string }).hash
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'file_missing') return undefined
    throw thrown
  }
}

async function writeFile(path: string, text: string | null): Promise<void> {
  if (text !== null) await files('write_file', path, text)
  else if ((await hashOf(path)) !== undefined) await files('delete_file', path)
}

async function proposeMeta(path: string, text: string | null): Promise<void> {
  const base_hash = (await hashOf(path)) ?? null
  if (base_hash === null && text === null) return
  await ask('POST /api/changes', {
    body: {
      actor: 'tour',
      service: 'kernel',
      title: text === null ? `Take ${path} away` : `Try the kernel of ${path}`,
      intent: 'A step of the tour',
      edits: [{ path, base_hash, text }],
    },
  })
}
