/** What a name resolves to is checked, and what was checked is connected to: with a resolver that changes its mind. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listOf } from '../../modules/services/fetch/addresses.ts'
import { exchange, type Answer, type ExchangeRules } from '../../modules/services/fetch/exchange.ts'
import { rejection } from '../support/system.ts'

let server: Server
let port: number
/** what requests said they want to speak with */
let hosts: (string | undefined)[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    hosts.push(request.headers.host)
    if (request.url === '/moved') response.writeHead(302, { location: '/hello' })
    response.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
})
beforeEach(() => {
  hosts = []
})
afterAll(() => new Promise((done) => server.close(done)))

describe('a name', () => {
  const rules = (answers: string[][]): ExchangeRules & { asked: string[] } => {
    const asked: string[] = []
    return {
      asked,
      hosts: ['rebinding.test:*'],
      allowed: listOf(['127.0.0.1']),
      redirects_max: 3,
      redirect_hosts: 'same',
      resolve: async (host) => {
        asked.push(host)
        return (answers.shift() ?? []).map((address) => ({ address, family: 4 }))
      },
    }
  }
  const ask = (path: string, using: ExchangeRules): Promise<Answer> => {
    const outgoing = { method: 'GET', headers: {}, body: undefined }
    return exchange(new URL(`http://rebinding.test:${port}${path}`), outgoing, using, AbortSignal.timeout(10_000))
  }

  it('is resolved once, and the connection goes to the address that was checked', async () => {
    const using = rules([['127.0.0.1'], ['10.0.0.1']])
    const { response } = await ask('/hello', using)
    expect(response.socket.remoteAddress).toBe('127.0.0.1')
    expect(hosts).toEqual([`rebinding.test:${port}`])
    response.destroy()
    expect(using.asked).toEqual(['rebinding.test'])
  })

  it('that answers otherwise after a redirect is checked again', async () => {
    const using = rules([['127.0.0.1'], ['10.0.0.1']])
    expect((await rejection(ask('/moved', using))).code).toBe('fetch_refused')
    expect(using.asked).toHaveLength(2)
  })

  it('with good and bad addresses is connected to by a good one only', async () => {
    const { response } = await ask('/hello', rules([['10.0.0.1', '169.254.169.254', '127.0.0.1']]))
    expect(response.socket.remoteAddress).toBe('127.0.0.1')
    response.destroy()
  })
})
