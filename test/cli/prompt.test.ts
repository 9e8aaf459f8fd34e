/** How an answer is shown while it is written: pieces on one line, whole lines on their own. */
import { expect, it } from 'vitest'
import { createScreen, showEnd } from '../../cli/prompt.ts'

const shown = (work: (screen: ReturnType<typeof createScreen>) => void): string => {
  let text = ''
  work(createScreen((more) => (text += more)))
  return text
}

it('pieces of a text follow each other, and whole lines never end up in the midst of one', () => {
  const text = shown((screen) => {
    screen.lines('log')
    screen.piece('I wri')
    screen.piece('te.')
    screen.lines('{call}')
    screen.piece('Done.\n')
    screen.endLine()
    screen.piece('Again')
    screen.endLine()
    screen.endLine()
  })
  expect(text).toBe('log\nI write.\n{call}\nDone.\nAgain\n')
})

it('why a turn ended, and what it waits for, is said on a line of its own', () => {
  const answer = {
    conversation_id: 'a',
    answer: '',
    provider: 'p',
    model: 'm',
    steps: [],
    prompt_hash: '',
    usage: null,
  }
  const text = shown((screen) => {
    screen.piece('I ask.')
    showEnd({ ...answer, status: 'parked', reason: 'May I?', approval_id: 'x1' }, screen)
    showEnd({ ...answer, status: 'cut', reason: 'chat_time: too long' }, screen)
    showEnd({ ...answer, status: 'done' }, screen)
  })
  expect(text).toBe(
    'I ask.\nIt asks a person: May I?\nmm approve x1, or mm deny x1 --reason "…"\n(cut) chat_time: too long\n',
  )
})
