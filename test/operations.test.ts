/** The five questions of docs/operations.md, each answered by the command that stands there, on a real system. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { historyKnows, mmHere } from './support/cli.ts'
import { startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

const page = readFileSync(join(packageRoot, 'docs/operations.md'), 'utf8')

/** The command beside a question, with what is particular to the page replaced. */
function commandFor(question: string, id = ''): string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| ${question} |`)) ?? ''
  const command = /`mm ([^`]+)`/.exec(row)?.[1]
  if (command === undefined) throw new Error(`no command beside "${question}"`)
  return command.replace('3f2a91c0', id).split(' ')
}

const shop = (price: number): string => `export class Module {
  constructor(kernel) {
    this.till = kernel.getApi('till')
  }
  price() {
    return ${price}
  }
  sell(article) {
    return this.till.take(article)
  }
}
`

const TILL = `export class Module {
  take(article) {
    if (article === 'air') throw Object.assign(new Error('nobody pays for air'), { code: 'till_stuck' })
    return 1
  }
}
`

const eventually = (work: () => Promise<void>): Promise<void> => vi.waitFor(work, 20_000)

let root: TestRoot
let system: RunningSystem
beforeAll(async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/history.yml': 'prog: services/history\n',
    'configs/traces.yml': 'prog: services/traces\n',
    'configs/shop.yml': '',
    'configs/till.yml': '',
    'modules/shop.js': shop(1),
    'modules/till.js': TILL,
  })
  system = await startProcess(root)
  await historyKnows(root.path, 'shop')
  const live = system.line(/shop {2}g1 → g2/)
  root.write('modules/shop.js', shop(2))
  await live
})
afterAll(async () => {
  await system.stop()
  root.dispose()
})

async function answer(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await mmHere(root.path, ...args)
  expect([args, code, stderr]).toEqual([args, 0, ''])
  return stdout
}

it('What is live?', async () => {
  const text = await answer(...commandFor('What is live?'))
  for (const api of ['http', 'shop', 'till', 'traces']) expect(text).toMatch(new RegExp(`^${api} +live +g\\d`, 'm'))
})

it('What changed since yesterday?', async () => {
  await eventually(async () =>
    expect(await answer(...commandFor('What changed since yesterday?'))).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}h\d+ +shop g1 → g2: modules\/shop\.js; state lost$/m,
    ),
  )
})

it('Why did this call fail?', async () => {
  expect((await mmHere(root.path, 'call', 'shop.sell', 'air')).code).toBe(1)
  let id = ''
  await eventually(async () => {
    const { traces } = JSON.parse(await answer('trace', '--errors', '--json')) as { traces: { trace: string }[] }
    id = traces[0]?.trace ?? ''
    expect(id).not.toBe('')
  })
  const text = await answer(...commandFor('Why did this call fail?', id))
  expect(text).toMatch(/http → shop\.sell g2/)
  expect(text).toMatch(/failed in (http → shop\.sell g2|shop → till\.take g1): till_stuck: nobody pays for air/)
  expect(text).toMatch(/^now .*g\d( \(source \w+\))? still serves$/m)
  expect(text).toMatch(/^ {2}mm trace \S+ +shows every call of it$/m)
  expect((await answer('why', id, '--json')).includes('"kind": "call"')).toBe(true)
})

it('Who called this?', async () => {
  await answer('call', 'shop.price')
  await eventually(async () => expect(await answer(...commandFor('Who called this?'))).toMatch(/http → shop\.price/))
  const { traces } = JSON.parse(await answer('trace', '--service', 'shop', '--json')) as { traces: { trace: string }[] }
  const id = traces[0]?.trace ?? ''
  expect(await answer('trace', id)).toMatch(/^[\w-]+ .* ms\nhttp → shop\.\w+ +g2/)
})

it('How do I go back?', async () => {
  expect(await answer(...commandFor('How do I go back?'))).toMatch(/^shop {2}g2 → g3/)
  expect(root.read('modules/shop.js')).toBe(shop(1))
  expect(await system.call('shop', 'price')).toBe(1)
})

it('the live view, as one look', async () => {
  expect(await answer('top', '--interval', '0.2')).toMatch(
    /^kernel \S+ {2}ok {2}up \d+ s {2}6 of 6 live[^]*^shop +live +g3/m,
  )
  const look = JSON.parse(await answer('top', '--interval', '0.2', '--json')) as { services: object[] }
  expect(look.services).toHaveLength(6)
  expect(Object.keys(look.services[0] ?? {})).toContain('calls_per_s')
  expect((await mmHere(root.path, 'top', '--interval', 'soon')).code).toBe(2)
})
