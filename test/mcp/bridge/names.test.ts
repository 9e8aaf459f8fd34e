/** How the tools of a server become methods. */
import { expect, it } from 'vitest'
import { namesOf } from '../../../modules/mcp/bridge/names.ts'

const methods = (...tools: string[]): [string, string | undefined][] =>
  namesOf(tools, new Set(['connection'])).named.map(({ method, alias }) => [method, alias])

it('a method has the folded name, and the own one of the server beside it', () => {
  expect(methods('echo', 'get-sum', 'readFile', 'a.b/c')).toEqual([
    ['echo', undefined],
    ['get_sum', 'get-sum'],
    ['read_file', 'readFile'],
    ['a_b_c', 'a.b/c'],
  ])
})

it('names of the kernel, of the bridge and of every object stay free', () => {
  expect(methods('init', 'with', 'then', 'connection', 'constructor', 'toString', '_hidden')).toEqual([
    ['init_', undefined],
    ['with_', undefined],
    ['then_', undefined],
    ['connection_', undefined],
    ['constructor_', undefined],
    ['to_string', undefined],
    ['hidden', undefined],
  ])
})

it('a name that is taken, or of which nothing is left, is left out; the first stays', () => {
  const { named, left } = namesOf(['get-sum', 'get_sum', '日本'], new Set())
  expect([named.map(({ tool }) => tool), left]).toEqual([['get-sum'], ['get_sum', '日本']])
})
