import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

/** A line server whose socket is held; `_line` is answered by whichever version is live. */
const server = (version: string, key = 'server'): string => `
import { createServer } from 'node:net'
export class Module {
  constructor(private k: any) {}
  async init() {
    this.port = await this.k.hold('${key}', (route: any) => new Promise((resolve) => {
      const sockets = new Set<any>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('data', async (data) => socket.write(await route('_line', String(data)) + '\\n'))
      })
      server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as any).port, close: () => { for (const s of sockets) s.destroy(); server.close() } }))
    }), (held: any) => held.close()).then((held: any) => held.port)
  }
  port = 0
  where() { return this.port }
  async _line(text: string) { await this.k.sleep(5); return '${version} ' + text.trim() }
}`

const where = (): Promise<number> => ((system as TestSystem).getApi('m')['where'] as () => Promise<number>)()

async function connect(port: number): Promise<{ ask(text: string): Promise<string>; socket: Socket }> {
  const socket = createConnection(port, '127.0.0.1')
  await once(socket, 'connect')
  return {
    socket,
    ask: async (text) => {
      socket.write(`${text}\n`)
      const [data] = (await once(socket, 'data')) as [Buffer]
      return String(data).trim()
    },
  }
}

it('a held socket and its open connections live on; the new version answers on them', async () => {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': server('one') })
  await system.live('m')
  const port = await where()
  const client = await connect(port)
  expect(await client.ask('a')).toBe('one a')
  const drained = system.event('service.drained')
  system.root.write('modules/m.ts', server('two'))
  await system.live('m', 2)
  await drained
  expect(await where()).toBe(port)
  expect(await client.ask('b')).toBe('two b')
  expect((await system.show('m')).owned).toContainEqual(expect.objectContaining({ kind: 'held', label: 'server' }))
  client.socket.destroy()
})

it('what no version asks for any more is released when the last one that did has ended', async () => {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': server('one') })
  await system.live('m')
  const client = await connect(await where())
  const closed = once(client.socket, 'close')
  system.root.write('modules/m.ts', server('two', 'another'))
  await system.live('m', 2)
  await closed
  expect((await system.show('m')).owned.filter((one) => one.kind === 'held').map((one) => one.label)).toEqual([
    'another',
  ])
})

it('a candidate that fails gives back what only it had asked for', async () => {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': server('one') })
  await system.live('m')
  const refused = system.event('service.refused')
  system.root.write(
    'modules/m.ts',
    server('two', 'another').replace('port = 0', 'port = 0\n  selfTest() { throw new Error("no") }'),
  )
  await refused
  expect((await system.show('m')).owned.filter((one) => one.kind === 'held').map((one) => one.label)).toEqual([
    'server',
  ])
  expect(await (await connect(await where())).ask('x')).toBe('one x')
})

it('a resource that cannot be made is no resource: the next version may try again', async () => {
  const source = (fail: boolean): string =>
    `export class Module { constructor(private k: any) {} async init() { await this.k.hold('r', () => { if (${fail}) throw new Error('no r'); return 1 }, () => {}) } hi() { return 1 } }`
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': source(true) })
  expect(await system.show('m')).toMatchObject({ state: 'failed', last_error: { code: 'init_threw' } })
  system.root.write('modules/m.ts', source(false))
  await system.live('m')
  expect((await system.show('m')).owned.map((one) => one.label)).toEqual(['r'])
})
