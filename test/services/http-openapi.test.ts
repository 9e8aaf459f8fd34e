/** The OpenAPI document: what a validator says of it, and that it has every route. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Document } from 'openapi-client-axios'
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
