/** Which route a path means, and what stands in it. */
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Router } from '../../modules/services/http/router.ts'
import { route, type Method, type Route } from '../../modules/services/http/routes/route.ts'

const at = (id: string, method: Method, path: string): Route =>
  route({ id, method, path, scope: 'open', summary: id, answer: z.string(), act: () => id })

const router = new Router([
  at('list', 'GET', '/api/tools'),
  at('first', 'GET', '/api/tools/first'),
  at('show', 'GET', '/api/tools/{name}'),
  at('call', 'POST', '/api/tools/{name}'),
  at('part', 'GET', '/api/tools/{name}/{part}'),
])

const found = (method: string, path: string): unknown => {
  const one = router.find(method, path)
  return one === undefined ? undefined : [one.route.id, one.params]
}

it('a route is known by its method and its path; of two that fit the first is meant', () => {
  expect(found('GET', '/api/tools')).toEqual(['list', {}])
  expect(found('GET', '/api/tools/first')).toEqual(['first', {}])
  expect(found('GET', '/api/tools/second')).toEqual(['show', { name: 'second' }])
  expect(found('POST', '/api/tools/first')).toEqual(['call', { name: 'first' }])
  expect(found('GET', '/api/tools/a/b')).toEqual(['part', { name: 'a', part: 'b' }])
})

it('a HEAD asks for what a GET would get', () => {
  expect(found('HEAD', '/api/tools/second')).toEqual(['show', { name: 'second' }])
})

it('what is filled in is decoded, a slash in it included, and never empty', () => {
  expect(found('GET', '/api/tools/a%2Fb%20c')).toEqual(['show', { name: 'a/b c' }])
  expect(found('GET', '/api/tools/__proto__')).toEqual(['show', { name: '__proto__' }])
  expect(found('GET', '/api/tools/')).toBeUndefined()
  expect(found('GET', '/api/tools//b')).toBeUndefined()
})

it('other paths and methods mean nothing', () => {
  for (const path of ['/', '/api', '/api/tools/a/b/c', '/API/tools', '/api/tools/'])
    expect(found('GET', path)).toBeUndefined()
  for (const method of ['PUT', 'OPTIONS', 'constructor']) expect(found(method, '/api/tools')).toBeUndefined()
})
