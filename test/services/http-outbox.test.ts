/** When answers leave: those of one turn together, at its end. */
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { Outbox } from '../../modules/services/http/outbox.ts'

/** Writes down what is done with responses. */
function responses(): { log: string[]; make(name: string, headersSent?: boolean): ServerResponse } {
  const log: string[] = []
  const make = (name: string, headersSent = false): ServerResponse =>
    Object.assign(new EventEmitter(), {
      headersSent,
      statusCode: 0,
      setHeader: (key: string, value: string) => log.push(`${name} ${key}: ${value}`),
      end: (text: string) => log.push(`${name} ${text}`),
      destroy: () => log.push(`${name} destroyed`),
    }) as unknown as ServerResponse
  return { log, make }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const sent = (text: string): { status: number; headers: Record<string, string>; text: string } => ({
  status: 200,
  headers: {},
  text,
})

it('answers of one turn are written one right after the other at its end, in their order', async () => {
  const { log, make } = responses()
  const outbox = new Outbox()
  outbox.send(make('a'), { status: 404, headers: { 'retry-after': '1' }, text: 'one' })
  await Promise.resolve()
  outbox.send(make('b'), sent('two'))
  expect(log).toEqual([])
  await turn()
  expect(log).toEqual(['a retry-after: 1', 'a one', 'b two'])
  outbox.send(make('c'), sent('three'))
  await turn()
  expect(log.at(-1)).toBe('c three')
})

it('a flood does not keep its first answers back', async () => {
  const { log, make } = responses()
  const outbox = new Outbox()
  for (let n = 1; n <= 33; n++) outbox.send(make(String(n)), sent('done'))
  expect(log.length).toBe(32)
  await turn()
  expect(log.length).toBe(33)
})

it('an answer that flows already is broken off', async () => {
  const { log, make } = responses()
  const outbox = new Outbox()
  outbox.send(make('a', true), sent('too late'))
  await turn()
  expect(log).toEqual(['a destroyed'])
})
