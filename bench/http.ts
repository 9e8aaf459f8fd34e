/**
 * What the HTTP API costs: requests a second of a trivial method beside a bare hono server and a bare one of Node, which
 * check nothing, in turns within one run; and how long good requests take while 500 slow senders hang on. The client is a
 * process of its own.
 * Run: npm run bench -- http
 */
import { spawn } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { slowSender } from '../test/support/http-abuse.ts'
import { serveHttp } from '../test/support/http.ts'
import { machine, median, percentile, round, table } from './support.ts'

const ROUNDS = 7
const ROUND_MS = 2_000
const CONNECTIONS = 20
const SLOW = 500

/** A client that keeps its connections busy, and prints its latencies as JSON. Plain sockets: it must not be what is measured. */
const CLIENT = `
const [port, token, path, ms, connections] = process.argv.slice(1)
const { connect } = await import('node:net')
const body = JSON.stringify({ method: 'add', args: [20, 22] })
const head = 'POST ' + path + ' HTTP/1.1\\r\\nHost: 127.0.0.1:' + port + '\\r\\nAuthorization: Bearer ' + token +
  '\\r\\nContent-Type: application/json\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body
const took = []
let stop = false
const one = () => new Promise((resolve, reject) => {
  const socket = connect(Number(port), '127.0.0.1')
  socket.setNoDelay(true)
  let since = 0
  const ask = () => { if (stop) { socket.destroy(); resolve(); return } since = performance.now(); socket.write(head) }
  socket.on('connect', ask)
  socket.on('data', (chunk) => {
    if (!chunk.toString('latin1').startsWith('HTTP/1.1 200')) reject(new Error(chunk.toString()))
    took.push(performance.now() - since)
    ask()
  })
  socket.on('error', reject)
})
setTimeout(() => { stop = true }, Number(ms))
const began = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, one))
took.sort((a, b) => a - b)
console.log(JSON.stringify({ per_s: took.length / (performance.now() - began) * 1000, p50: took[took.length >> 1], p99: took[Math.floor(took.length * 0.99)] }))
`

interface Figures {
  per_s: number
  p50: number
  p99: number
}

function load(port: number, token: string, path: string): Promise<Figures> {
  const args = ['--input-type=module', '-e', CLIENT, String(port), token, path, String(ROUND_MS), String(CONNECTIONS)]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(text) as Figures) : reject(new Error(`ended with ${code}`)),
    )
  })
}

async function listen(serve: RequestListener): Promise<number> {
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

const bare = new Hono()
bare.post('/call', async (context) => {
  const { args } = await context.req.json<{ args: number[] }>()
  return context.json({ result: (args[0] ?? 0) + (args[1] ?? 0) })
})
const answer = getRequestListener(bare.fetch)
const honoPort = await listen((request, response) => void answer(request, response))
const nodePort = await listen((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (piece: string) => (text += piece))
  request.on('end', () => {
    const { args } = JSON.parse(text) as { args: number[] }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ result: (args[0] ?? 0) + (args[1] ?? 0) }))
  })
})

const served = await serveHttp(
  { 'configs/calc.yml': 'prog: calc\n', 'modules/calc.ts': 'export class Module { add(a, b) { return a + b } }\n' },
  { config: 'requests_per_s: 1000000\n' },
)
const asked = {
  hono: () => load(honoPort, 'none', '/call'),
  node: () => load(nodePort, 'none', '/call'),
  ours: () => load(served.port, served.token, '/api/services/calc/call'),
}
const names = ['hono', 'node', 'ours'] as const
const figures: Record<keyof typeof asked, Figures[]> = { hono: [], node: [], ours: [] }
for (const name of names) await asked[name]()
for (let index = 0; index < ROUNDS; index++) {
  // Each comes first, second and last in turn.
  for (const at of [0, 1, 2]) {
    const name = names[(index + at) % 3] ?? 'ours'
    figures[name].push(await asked[name]())
  }
}

const senders = Array.from({ length: SLOW }, () => slowSender(served.port, 'GET /health HTTP/1.1\r\nX-Slow: '))
const began = performance.now()
const closedAt = Promise.all(senders.map(async (one) => one.closed.then(() => performance.now() - began)))
const abused: Figures[] = []
for (let index = 0; index < 3; index++) abused.push(await asked.ours())
const slowest = Math.max(...(await closedAt))

const of = (rows: Figures[], key: keyof Figures): number => median(rows.map((one) => one[key]))
const shareOf = (peer: Figures[]): string => {
  const share = figures.ours.map((one, at) => (one.per_s / (peer[at]?.per_s ?? Number.NaN)) * 100)
  return `${round(median(share), 0)} % (${round(percentile(share, 0), 0)}–${round(percentile(share, 1), 0)})`
}
const row = (name: string, rows: Figures[]): string[] => [
  name,
  round(of(rows, 'per_s'), 0),
  round(of(rows, 'p50')),
  round(of(rows, 'p99')),
]
console.log(`### A trivial method over HTTP, ${CONNECTIONS} connections, medians of ${ROUNDS} rounds (${machine()})\n`)
console.log(
  table(
    ['', 'requests/s', 'p50 ms', 'p99 ms'],
    [
      row('bare hono server', figures.hono),
      row('bare server of Node', figures.node),
      row('POST /api/services/calc/call', figures.ours),
      row(`the same with ${SLOW} slow senders`, abused),
    ],
  ),
)
console.log(
  `\nShare of the bare hono server: ${shareOf(figures.hono)}; goal 60. Of the one of Node: ${shareOf(figures.node)}. Slow senders were closed within ${round(slowest / 1_000, 1)} s; goal 10.`,
)
await served.system.stop()
process.exit(0)
