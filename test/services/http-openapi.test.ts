/** The OpenAPI document: what strangers' tools make of it. A generated client calls every route, and each answer fits. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OpenAPIClientAxios, type Document } from 'openapi-client-axios'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterEach, expect, it } from 'vitest'
import { ROUTES } from '../../modules/services/http/routes/index.ts'
import type { Route } from '../../modules/services/http/routes/route.ts'
import { serveHttp, type HttpSystem } from '../support/http.ts'
import { packageRoot } from '../support/root.ts'

const FILES = {
  'prompts/meta.txt': readFileSync(join(packageRoot, 'prompts', 'meta.txt'), 'utf8'),
  'configs/tools.yml': 'prog: services/tools\n',
  'configs/traces.yml': 'prog: services/traces\n',
  'configs/metrics.yml': 'prog: services/metrics\n',
  'configs/recordings.yml': 'prog: services/recordings\n',
  'configs/history.yml': 'prog: services/history\n',
  'configs/mcp.yml': 'prog: services/mcp\n',
  'configs/database.yml': 'prog: services/database\n',
  'configs/offline.yml': 'prog: inference/offline\n',
  'configs/assistant.yml': 'prog: agents/assistant\napi: assistant\n',
  'configs/ledger.yml': 'prog: control/ledger\n',
  'configs/events.yml': 'prog: control/events\n',
  'configs/policy.yml': 'prog: control/policy\n',
  'configs/approvals.yml': 'prog: control/approvals\n',
  'configs/rollouts.yml': 'prog: control/rollouts\n',
  'configs/self-improver.yml': 'prog: control/self-improver\n',
  'configs/control/metrics.yml': 'prog: control/metrics\n',
  'configs/control/meta-loop.yml': 'prog: control/meta-loop\napi: meta-loop\n',
  'configs/calc.yml': 'prog: calc\n',
  'modules/calc.ts': 'export class Module { add(a, b) { return a + b } }\n',
}

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(): Promise<HttpSystem & { document: Document }> {
  const served = await serveHttp(FILES)
  running.push(served)
  const { body, status } = await served.ask('GET', '/api/openapi.json')
  expect(status).toBe(200)
  return { ...served, document: body as unknown as Document }
}

const routes: readonly Route[] = ROUTES

it('a validator of OpenAPI 3.1 has nothing to say', async () => {
  const { document } = await serve()
  const validator = new Validator()
  const { valid, errors } = await validator.validate(document as never)
  expect([valid, errors]).toEqual([true, undefined])
  expect(validator.version).toBe('3.1')
  expect((document as { openapi: string }).openapi).toBe('3.1.0')
})

it('it has every route of the table, with its scope and its refusals', async () => {
  const { document } = await serve()
  for (const { id, method, path, scope, errors = [] } of routes) {
    const operation = document.paths?.[path]?.[method.toLowerCase() as 'get']
    expect([id, operation?.operationId]).toEqual([id, id])
    const said = JSON.stringify(operation?.responses)
    for (const code of errors) expect([id, said.includes(`\`${code}\``)]).toEqual([id, true])
    expect([id, operation?.security]).toEqual([id, scope === 'open' ? [] : undefined])
  }
})

interface Asked {
  params?: Record<string, string>
  body?: unknown
  headers?: Record<string, string>
  /** another status than 200 is right: what it asks for is not there */
  status?: number
}

const RULE = {
  name: 'many_errors',
  conditions: [{ metric: 'performance.avg_success_rate', comparator: 'lt', threshold: 0.9 }],
  severity: 'warning',
  altitudes: ['config'],
}

/** What each route is asked for. A route that is not named here is asked for nothing. */
const ASKED: Record<string, Asked> = {
  'services.show': { params: { api: 'calc' } },
  'services.call': { params: { api: 'calc' }, body: { method: 'add', args: [20, 22] } },
  'services.reload': { params: { api: 'calc' } },
  'services.rollback': { params: { api: 'calc' }, status: 409 },
  'services.release': { params: { api: 'calc' }, status: 409 },
  'services.undo': { params: { api: 'calc' }, status: 409 },
  'services.diff': { params: { api: 'calc' } },
  'changes.plan': { body: { files: [{ path: 'modules/calc.ts', text: 'export class Module {}' }] } },
  'tools.show': { params: { name: 'kernel_status' } },
  'tools.call': { params: { name: 'kernel_status' }, body: {} },
  'chat.send': { body: { message: 'what time is it?' } },
  'approvals.decide': { params: { id: 'none' }, body: { approved: true, by: 'test' }, status: 404 },
  'events.publish': {
    body: { id: '1', type: 'alert', source: 'nobody', time: 1, payload: {}, signature: '0'.repeat(64) },
    status: 403,
  },
  'changes.show': { params: { id: 'c9' }, status: 404 },
  'changes.undo': { params: { id: 'c9' }, body: {}, status: 404 },
  'changes.submit': {
    body: { actor: 'test', service: 'calc', title: 'none', intent: 'none', edits: [] },
    status: 400,
  },
  'improve.start': { body: { service: 'calc', goal: 'be quicker' } },
  'improve.show': { params: { id: 'i9' }, status: 404 },
  'improve.check': { body: { edits: [{ path: 'modules/calc.ts', base_hash: null, text: '' }] } },
  'approvals.show': { params: { id: 'none' }, status: 404 },
  'aros.approve': { params: { id: 'none' }, body: {}, status: 404 },
  'aros.reject': { params: { id: 'none' }, body: { reason: 'no' }, status: 404 },
  'aros.signal': { body: { source: 'test', payload: { n: 1 } } },
  'aros.event': { body: { bot_id: 'default', event_type: 'task_complete' } },
  'aros.nirmana': { params: { activate: 'true' } },
  'aros.rollback': { params: { id: 'c9' }, body: {}, status: 404 },
  'meta.brief': { params: { since: '0' } },
  'meta.metric_history': { params: { path: 'performance.avg_success_rate' } },
  'meta.rule_preview': { body: { rule: RULE } },
  'meta.rule_draft': { body: { set: RULE } },
  'chat.conversation': { params: { id: 'none' }, status: 404 },
  'ledger.replay': { params: { cycle: 'none' }, status: 404 },
  'policy.check': { body: { changes: [{ kind: 'file', path: 'modules/calc.ts', operation: 'modify' }] } },
  'traces.show': { params: { id: 'none' }, status: 404 },
  'history.why': { params: { subject: 'calc' } },
  'mcp.send': {
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    },
    headers: { accept: 'application/json, text/event-stream' },
  },
  'mcp.end': { status: 400 },
}

/** Names in a path that are not filled in above. */
const defaultsOf = ({ path }: Route): Record<string, string> => (path.includes('{api}') ? { api: 'calc' } : {})

type Call = (params?: object | null, body?: unknown, config?: object) => Promise<{ status: number; data: unknown }>

it('a generated client calls every route, and what comes back is what the table says', async () => {
  const { document, url, token } = await serve()
  const api = new OpenAPIClientAxios({
    definition: document,
    withServer: { url },
    axiosConfigDefaults: { headers: { authorization: `Bearer ${token}` }, validateStatus: () => true },
  })
  const client = (await api.init()) as unknown as Record<string, Call>
  for (const one of routes.filter(({ as }) => as !== 'events')) {
    const { params = defaultsOf(one), body, headers = {}, status = 200 } = ASKED[one.id] ?? {}
    const answer = await client[one.id]?.(params, body, { headers })
    expect([one.id, answer?.status, answer?.status === status ? '' : answer?.data]).toEqual([one.id, status, ''])
    if (status !== 200 || one.raw === true) continue
    // What the schema does not know it leaves out: nothing may be left out.
    expect([one.id, one.answer.parse(answer?.data)]).toEqual([one.id, answer?.data])
  }
})
