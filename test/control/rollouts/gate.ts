/** A system with the whole gate and one small service behind it, for the tests of proposals. */
import { expect, vi } from 'vitest'
import type { ApprovalsApi } from '../../../modules/contracts/approvals.ts'
import type { LedgerApi, LedgerEntry } from '../../../modules/contracts/ledger.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Proposal, ProposalInput, ProposedEdit, RolloutsApi } from '../../../modules/contracts/proposals.ts'
import type { Clock } from '../../../modules/contracts/seams.ts'
import { realClock } from '../../../modules/lib/clock.ts'
import { shortHash } from '../../../modules/lib/hash.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'
import { startSystem, type TestSystem } from '../../support/system.ts'

export const TOKEN = 'the token of this test, long enough'

export const moduleOf = (body: string): string => `export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config; this.calls = 0 }
  ${body}
}
`
/** Answers after so many milliseconds. */
export const answering = (ms: number, word = 'old'): string =>
  moduleOf(
    `async ask() { await new Promise((resolve) => setTimeout(resolve, ${ms})); return '${word}' }\n  word() { return '${word}' }`,
  )

/** A clock that can be put forward. */
export class SkippingClock implements Clock {
  private skipped = 0
  now = (): number => realClock.now() + this.skipped
  monotonic = (): number => realClock.monotonic() + this.skipped
  after = realClock.after
  clear = realClock.clear
  soon = realClock.soon
  skip(ms: number): void {
    this.skipped += ms
  }
}

export interface Gate {
  readonly root: TestRoot
  readonly clock: SkippingClock
  readonly system: TestSystem
  readonly rollouts: Handle<RolloutsApi>
  readonly approvals: Handle<ApprovalsApi>
  hashOf(path: string): string | null
  /** Of origin `self`, for one file. */
  propose(path: string, text: string | null, more?: Partial<ProposalInput>): Promise<Proposal>
  /** What waits for `id`, approved (twice where it takes two). */
  approve(proposal: Proposal): Promise<Proposal>
  /** Of its own steps; those of its approval stand between them. */
  entries(id: string): Promise<LedgerEntry[]>
  /** Calls of `shop.ask` as from outside, one after the other, until the returned function is called. */
  traffic(lanes?: number): () => Promise<void>
  /** Resolves when so many more calls of `shop` have begun. */
  calls(count: number): Promise<void>
  /** Resolves when the proposal is in that state. */
  until(id: string, state: Proposal['state']): Promise<Proposal>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A window ends when the test puts the clock forward. */
export const WINDOW_MS = 3_600_000
export const ROLLOUTS = `prog: control/rollouts
window_ms: ${WINDOW_MS}
samples_min: 30
check_ms: 20
settle_ms: 0
`

/** For what is not about times: those of a busy machine are not told from one another. */
export const UNTIMED = { 'configs/rollouts.yml': `${ROLLOUTS}latency_floor_ms: 5000\n` }

export async function startGate(files: Record<string, string> = {}): Promise<Gate> {
  const root = createRoot({
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/policy.yml': 'prog: control/policy\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/rollouts.yml': ROLLOUTS,
    'configs/shop.yml': '',
    'modules/shop.mjs': answering(5),
    'runtime/token': `${TOKEN}\n`,
    ...files,
  })
  const clock = new SkippingClock()
  let system = await startSystem(root, { clock })
  const rollouts = (): Handle<RolloutsApi> => system.getApi<RolloutsApi>('rollouts')
  const hashOf = (path: string): string | null => {
    try {
      return shortHash(root.read(path))
    } catch {
      return null
    }
  }
  const gate: Gate = {
    root,
    clock,
    get system() {
      return system
    },
    get rollouts() {
      return rollouts()
    },
    get approvals() {
      return system.getApi<ApprovalsApi>('approvals')
    },
    hashOf,
    propose: (path, text, more = {}) =>
      rollouts().submit({
        origin: 'self',
        actor: 'improver',
        service: 'shop',
        title: `change ${path}`,
        intent: 'make it better',
        edits: [edit(path, text, hashOf(path))],
        ...more,
      }),
    async approve({ id, approval_id }) {
      const { approvals } = gate
      const decision = { by: 'ada', token: TOKEN, reason: 'looks right' }
      const first = await approvals.approve(String(approval_id), decision)
      if (first.state === 'pending') await approvals.approve(String(approval_id), decision)
      return rollouts().show(id)
    },
    entries: async (id) => {
      const entries = await system.getApi<LedgerApi>('ledger').read({ cycle: id, limit: 1_000 })
      return entries.filter(({ action }) => action.startsWith('change_'))
    },
    traffic(lanes = 4) {
      const stop = new AbortController()
      const shop = system.getApi<{ ask(): Promise<string> }>('shop').with({ deadlineMs: 2_000 })
      const lane = async (): Promise<void> => {
        while (!stop.signal.aborted) {
          await shop.ask().catch(() => undefined)
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const running = Array.from({ length: lanes }, lane)
      return async () => {
        stop.abort()
        await Promise.all(running)
      }
    },
    async calls(count) {
      const { calls: before } = await system.show('shop')
      await vi.waitFor(async () => expect((await system.show('shop')).calls - before).toBeGreaterThan(count), 30_000)
    },
    async until(id, state) {
      await system.happened(`proposal.${state}`, (data) => data['id'] === id)
      return rollouts().show(id)
    },
    async restart() {
      await system.kernel.stop('test', 2_000)
      system = await startSystem(root, { clock })
    },
    stop: () => system.stop(),
  }
  return gate
}

export const edit = (path: string, text: string | null, base_hash: string | null): ProposedEdit => ({
  path,
  base_hash,
  text,
})
