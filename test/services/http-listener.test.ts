/** Where the API listens: the socket, runtime/http.json and the token file, over starts, stops and config changes. */
import { chmodSync, existsSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createRoot, type TestRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Address {
  url: string
  pid: number
  supervisor_pid: number
  token_file: string
}

const running: TestSystem[] = []
const taken: Server[] = []
const roots: TestRoot[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const server of taken.splice(0)) await new Promise((resolve) => server.close(resolve))
  for (const root of roots.splice(0)) root.dispose()
})

function rootWith(config: string): TestRoot {
  const root = createRoot({ 'configs/http.yml': `prog: services/http\n${config}` })
  roots.push(root)
  return root
}

async function start(root: TestRoot): Promise<TestSystem> {
  const system = await startSystem(root)
  running.push(system)
  return system
}

const addressOf = (root: TestRoot): Address => JSON.parse(root.read('runtime/http.json')) as Address
const portOf = (root: TestRoot): number => Number(new URL(addressOf(root).url).port)
const modeOf = (root: TestRoot, file: string): string => (statSync(join(root.path, file)).mode & 0o777).toString(8)

async function health(port: number): Promise<number | string> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).status
  } catch (error) {
    return String((error as { cause?: { code?: string } }).cause?.code)
  }
}

/** A server of somebody else. Its port is taken until the test is over, or until `close`. */
async function takePort(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  taken.push(server)
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    port,
    close: async () => {
      taken.splice(taken.indexOf(server), 1)
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const { port, close } = await takePort()
  await close()
  return port
}

it('http.json has the documented keys, is for its owner only, and tells the truth', async () => {
  const root = rootWith('port: 0\n')
  await start(root)
  const address = addressOf(root)
  expect(Object.keys(address).sort()).toEqual(['pid', 'supervisor_pid', 'token_file', 'url'])
  expect(modeOf(root, 'runtime/http.json')).toBe('600')
  expect(address.pid).toBe(process.pid)
  expect(address.token_file).toBe(join(root.path, 'runtime', 'token'))
  expect(await health(portOf(root))).toBe(200)
})

it('the token file is for its owner only and holds a long secret', async () => {
  const root = rootWith('port: 0\n')
  await start(root)
  expect(modeOf(root, 'runtime/token')).toBe('600')
  expect(root.read('runtime/token').trim()).toMatch(/^[0-9a-f]{64}$/)
})

it('an orderly stop takes http.json away and keeps the token for the next start', async () => {
  const root = rootWith('port: 0\n')
  const first = await start(root)
  const token = root.read('runtime/token')
  const port = portOf(root)
  await first.kernel.stop('test', 2_000)
  expect(existsSync(join(root.path, 'runtime/http.json'))).toBe(false)
  expect(root.read('runtime/token')).toBe(token)
  expect(await health(port)).toBe('ECONNREFUSED')
  chmodSync(join(root.path, 'runtime/token'), 0o644)
  await start(root)
  expect(root.read('runtime/token')).toBe(token)
  expect(modeOf(root, 'runtime/token')).toBe('600')
})

it('a token too short to be secret is replaced', async () => {
  const root = rootWith('port: 0\n')
  root.write('runtime/token', 'hunter2\n')
  await start(root)
  expect(root.read('runtime/token').trim()).toMatch(/^[0-9a-f]{64}$/)
})

it('a taken port is port_in_use and names the port', async () => {
  const { port, close } = await takePort()
  const system = await start(rootWith(`port: ${port}\nport_tries: 1\n`))
  const detail = await system.show('http')
  expect(detail.state).toBe('failed')
  expect(`${detail.last_error?.code} ${detail.last_error?.message}`).toContain('port_in_use')
  expect(detail.last_error?.message).toContain(String(port))
  expect(existsSync(join(system.root.path, 'runtime/http.json'))).toBe(false)
  await close()
  expect(await system.reload('http')).toMatchObject({ ok: true })
  expect(portOf(system.root)).toBe(port)
})

it('with more tries the next free port is used, and http.json names it', async () => {
  const { port } = await takePort()
  const system = await start(rootWith(`port: ${port}\nport_tries: 20\n`))
  expect((await system.show('http')).state).toBe('live')
  const used = portOf(system.root)
  expect(used).toBeGreaterThan(port)
  expect(used).toBeLessThan(port + 20)
  expect(await health(used)).toBe(200)
})

it('another port in the config moves the listener, and http.json follows', async () => {
  const root = rootWith('port: 0\n')
  const system = await start(root)
  const before = portOf(root)
  const after = await freePort()
  const drained = system.event('service.drained', (data) => data['api'] === 'http')
  const live = system.event('service.live', (data) => data['api'] === 'http')
  root.write('configs/http.yml', `prog: services/http\nport: ${after}\n`)
  await live
  expect(portOf(root)).toBe(after)
  expect(await health(after)).toBe(200)
  await drained
  expect(await health(before)).toBe('ECONNREFUSED')
  expect(portOf(root)).toBe(after)
})

it('a port that is taken is refused: the old listener stays', async () => {
  const root = rootWith('port: 0\n')
  const system = await start(root)
  const before = portOf(root)
  const { port } = await takePort()
  const refused = system.event('service.refused', (data) => data['api'] === 'http')
  root.write('configs/http.yml', `prog: services/http\nport: ${port}\n`)
  await refused
  expect(portOf(root)).toBe(before)
  expect(await health(before)).toBe(200)
  expect(await system.show('http')).toMatchObject({ state: 'live', generation: 1, stale: true })
})

it('a reload keeps the port', async () => {
  const root = rootWith('port: 0\n')
  const system = await start(root)
  const before = addressOf(root)
  for (let round = 0; round < 3; round++) expect(await system.reload('http')).toMatchObject({ ok: true })
  expect(addressOf(root)).toEqual(before)
  expect(await health(portOf(root))).toBe(200)
})

it('a change of a limit keeps the address', async () => {
  const port = await freePort()
  const root = rootWith(`port: ${port}\nport_tries: 20\n`)
  const system = await start(root)
  const live = system.event('service.live', (data) => data['api'] === 'http')
  root.write('configs/http.yml', `prog: services/http\nport: ${port}\nport_tries: 20\nconnections_max: 500\n`)
  await live
  expect(portOf(root)).toBe(port)
})

it('without its config the server ends: no address, no socket', async () => {
  const root = rootWith('port: 0\n')
  const system = await start(root)
  const port = portOf(root)
  const stopped = system.event('service.stopped', (data) => data['api'] === 'http')
  root.remove('configs/http.yml')
  await stopped
  expect(existsSync(join(root.path, 'runtime/http.json'))).toBe(false)
  expect(await health(port)).toBe('ECONNREFUSED')
})

it('a wrong value in the config is refused with its line, and the server goes on', async () => {
  const root = rootWith('port: 0\n')
  const system = await start(root)
  const refused = system.event('service.refused', (data) => data['api'] === 'http')
  root.write('configs/http.yml', 'prog: services/http\nport: many\n')
  const { data } = await refused
  expect(data['error']).toMatchObject({ code: 'config_invalid', file: 'configs/http.yml', line: 2 })
  expect(await health(portOf(root))).toBe(200)
})
