/** Statements that are kept: each prepared once, and no more of them than are worth keeping. */
import { expect, it } from 'vitest'
import type { Statement } from '../../modules/lib/sqlite.ts'
import { Statements } from '../../modules/lib/statements.ts'

it('prepares each text once, and forgets the oldest of too many', () => {
  const prepared: string[] = []
  const statements = new Statements({
    prepare(sql) {
      prepared.push(sql)
      return { sql } as unknown as Statement
    },
  })
  expect(statements.of('one')).toBe(statements.of('one'))
  expect(statements.of('one')).not.toBe(statements.of('two'))
  expect(prepared).toEqual(['one', 'two'])
  for (let n = 0; n < 100; n++) statements.of(`n${n}`)
  statements.of('n99')
  statements.of('one')
  expect(prepared.slice(-2)).toEqual(['n99', 'one'])
})
