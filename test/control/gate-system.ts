/**
 * The gate as it is met from outside: policy, approvals and ledger in front of the tools, over HTTP. A model's call goes
 * through the service `tools` as the assistant's does; a person's comes with the operator's token. Its clock can be moved.
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { Approval } from '../../modules/contracts/approvals.ts'
import type { LedgerCheck, LedgerEntry } from '../../modules/contracts/ledger.ts'
import type { Change, PolicyVerdict } from '../../modules/contracts/policy.ts'
import type { Clock } from '../../modules/contracts/seams.ts'
import type { ToolResult } from '../../modules/contracts/tool.ts'
import type { SignedEvent } from '../../modules/contracts/signed-events.ts'
import { signatureOf } from '../../modules/control/events/signature.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { startServed, type ServedSystem } from '../support/served.ts'

export const GATE_FILES: Record<string, string> = {
  'configs/control/ledger.yml': 'api: ledger\n',
  'configs/control/policy.yml': 'api: policy\n',
  'configs/control/approvals.yml': 'api: approvals\n',
  'configs/control/events.yml': `api: events
signers:
  probe: {key: secret:probe, trust: 0.9}
  rumor: {key: secret:rumor, trust: 0.2}
types:
  - {type: task_failed, kept: true}
  - {type: 'decision.*', priority: urgent}
  - {type: alert, min_trust: 0.8, priority: high}
`,
  'runtime/secrets/probe': 'the key of the probe, long enough to be one',
  'runtime/secrets/rumor': 'the key of a rumor, long enough to be one too',
  'configs/tools.yml': 'prog: services/tools\nhooks: [policy]\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'configs/config.yml': 'prog: services/workshop/config\n',
  'configs/module.yml': 'prog: services/workshop/module\n',
  'configs/loop.yml': 'prog: other\nharness: {retry_limit: 10}\nspeed: 1 # of the loop\n',
  'modules/other.ts': 'export class Module {}\n',
}

export interface Reply<T = Record<string, unknown>> {
  status: number
  body: T & { error?: { code: string; message: string; hint: string } }
}

export interface Gate extends ServedSystem {
  /** Days, hours: the clock all services see. */
  skip(ms: number): void
  ask<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply<T>>
  asModel(tool: string, params: object): Promise<ToolResult>
  asPerson(tool: string, params: object): Promise<Reply>
  check(change: Change, more?: object): Promise<PolicyVerdict>
  policy(text: string): Promise<void>
  approve(id: string, more?: object): Promise<Reply<Approval>>
  deny(id: string, reason?: string): Promise<Reply<Approval>>
  waiting(): Promise<{ approval_id: string; question: string }[]>
  entries(query?: string): Promise<LedgerEntry[]>
  verify(): Promise<LedgerCheck>
}

export async function startGate(files: Record<string, string> = {}): Promise<Gate> {
  let skippedMs = 0
  const clock: Clock = { ...realClock, now: () => realClock.now() + skippedMs }
  const served = await startServed(rootOf({ ...GATE_FILES, ...files }), { clock })
  const ask = async <T>(method: 'GET' | 'POST', path: string, body: unknown = {}): Promise<Reply<T>> => {
    const response = await served.fetch(path, method === 'GET' ? undefined : body)
    return { status: response.status, body: (await response.json()) as Reply<T>['body'] }
  }
  const decide = (id: string, body: object): Promise<Reply<Approval>> =>
    ask('POST', `/api/approvals/${id}`, { by: 'ada', ...body })
  return Object.defineProperty(
    Object.assign(Object.create(served) as ServedSystem, {
      skip: (ms: number) => {
        skippedMs += ms
      },
      ask,
      asModel: async (tool: string, params: object) => {
        const args = [tool, params, { caller: 'assistant' }]
        const { body } = await ask<{ result: ToolResult }>('POST', '/api/services/tools/call', {
          method: 'invoke',
          args,
        })
        return body.result
      },
      asPerson: (tool: string, params: object) => ask<Record<string, unknown>>('POST', `/api/tools/${tool}`, params),
      check: async (change: Change, more: object = {}) => {
        const body = { changes: [change], ...more }
        return (await ask<{ verdict: PolicyVerdict }>('POST', '/api/policy/check', body)).body.verdict
      },
      policy: async (text: string) => {
        served.root.write('configs/control/policy.yml', `api: policy\n${text}`)
        const { error } = await served.reload('policy')
        if (error !== null) throw new Error(error.message)
      },
      approve: (id: string, more: object = {}) => decide(id, { approved: true, ...more }),
      deny: (id: string, reason = 'not now') => decide(id, { approved: false, note: reason }),
      waiting: async () => (await ask<{ approvals: never[] }>('GET', '/api/approvals')).body.approvals,
      entries: async (query = 'limit=1000') =>
        (await ask<{ entries: LedgerEntry[] }>('GET', `/api/ledger?${query}`)).body.entries,
      verify: async () => (await ask<LedgerCheck>('GET', '/api/ledger/verify')).body,
    }),
    'kernel',
    { get: () => served.kernel },
  )
}

function rootOf(files: Record<string, string>): TestRoot {
  const root = createRoot(files)
  for (const file of Object.keys(files))
    if (file.startsWith('runtime/secrets/')) chmodSync(join(root.path, file), 0o600)
  return root
}

/** As a sender signs it. */
export function signed(source: string, event: object): SignedEvent {
  const bare = { id: crypto.randomUUID(), source, time: Date.now(), payload: {}, ...event }
  return {
    ...bare,
    signature: signatureOf(GATE_FILES[`runtime/secrets/${source}`] ?? '', bare as never),
  } as SignedEvent
}

/** Of a call that waits. */
export function approvalOf(result: ToolResult): string {
  const id = result.status === 'error' ? /approval ([0-9a-f-]{36})/.exec(result.error.message)?.[1] : undefined
  if (id === undefined) throw new Error(`it does not wait: ${JSON.stringify(result)}`)
  return id
}

export const codeOf = (result: ToolResult): string => (result.status === 'error' ? result.error.code : result.status)
