/** The assistant as a user meets it: a process of its own, HTTP, the command line, kill -9, callers who hang up. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChatAnswer, ChatEvent, ChatMessage } from '../../modules/contracts/services.ts'
import { gate, startProvider, type Asked, type Provider, type Reply } from '../inference/provider.ts'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { assistantConfig, CHAT_FILES, markIn, SPY, SPY_CALL } from './chat-system.ts'

/** Its tool never answers. */
const STUCK = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    if (name !== 'tool') return undefined
    return { wait: tool({ description: 'Waits.', params: z.object({}), run: () => new Promise(() => {}) }) }
  }
}
`
const LISTING_8 = readFileSync(new URL('../fixtures/bracket/listing-8.txt', import.meta.url), 'utf8')

let provider: Provider
let root: TestRoot
let running: RunningSystem
let answer: (reply: Reply, messages: ChatMessage[]) => unknown

/** A model that says it all at once. */
const say = (text: (messages: ChatMessage[]) => string) => (reply: Reply, messages: ChatMessage[]) => {
  reply.say(text(messages))
  reply.finish()
}

// One process for all: each case has a conversation of its own.
beforeAll(async () => {
  provider = await startProvider((reply, { body }: Asked) => answer(reply, body['messages'] as ChatMessage[]))
  root = createRoot({
    ...CHAT_FILES,
    'configs/services/http.yml': 'api: http\nport: 0\n',
    'configs/scripted.yml': `prog: inference/openai\nparams: {base_url: '${provider.url}', model: m, retries: 0}\n`,
    'configs/agents/assistant.yml': assistantConfig('provider: scripted'),
    'configs/spy.yml': '',
    'modules/spy.ts': SPY,
    'configs/stuck.yml': '',
    'modules/stuck.ts': STUCK,
    'modules/web.py': 'import os\nimport logging\n',
  })
  running = await startProcess(root)
})
beforeEach(() => {
  answer = say(() => 'Hello.')
})
afterAll(async () => {
  await running.stop()
  root.dispose()
  await provider.stop()
})

const chat = async (message: string, conversation_id: string): Promise<ChatAnswer> =>
  (await running.api<ChatAnswer>('POST', '/api/chat', { message, conversation_id })).body

const stored = async (id: string): Promise<string[]> =>
  (await running.call<ChatMessage[]>('assistant', 'messages', id)).map(({ content }) => content)

interface Open {
  events: ChatEvent[]
  /** resolves at the first event of a kind */
  saw(type: ChatEvent['type']): Promise<void>
  hangUp(): void
  ended: Promise<void>
}

/** A chat over HTTP whose events are read as they come. */
async function open(message: string, conversation_id: string): Promise<Open> {
  const stop = new AbortController()
  const response = await fetch(`${running.url}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message, conversation_id, stream: true }),
    signal: stop.signal,
  })
  const events: ChatEvent[] = []
  const waiting = new Set<() => void>()
  const read = async (): Promise<void> => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) events.push(JSON.parse(block.split('\ndata: ')[1] ?? '') as ChatEvent)
      for (const look of waiting) look()
    }
  }
  const ended = read().catch(() => undefined)
  return {
    events,
    ended,
    hangUp: () => stop.abort(),
    saw: (type) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (events.some((event) => event.type === type)) resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

describe('over HTTP', () => {
  it('text arrives while the model writes, and half a fence never does', async () => {
    const half = gate()
    const fence = gate()
    answer = async (reply, messages) => {
      if (messages.length > 2) {
        say(() => 'All done.')(reply, messages)
        return
      }
      reply.say('First this. ')
      await half.opened
      reply.say('Now a call:\n``')
      reply.say('`tool\n{call: spy_to')
      await fence.opened
      reply.say('uch {params {}}}\n```')
      reply.finish()
    }
    const { events, saw, ended } = await open('Go', 'stream')
    await saw('text')
    expect(events).toEqual([{ type: 'text', text: 'First this.' }])
    half.open()
    fence.open()
    await ended
    const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')
    expect(texts).toBe('First this. Now a call:All done.')
    expect(events.filter(({ type }) => type === 'call')).toEqual([
      expect.objectContaining({ type: 'call', tool: 'spy_touch', text: SPY_CALL }),
    ])
    expect(events.at(-1)).toMatchObject({ type: 'answer', answer: { status: 'done', answer: 'All done.' } })
  })

  it('who hangs up while the model is silent, or a tool runs, cancels the turn, and the next one goes on', async () => {
    const asked = gate()
    const gone = gate()
    answer = async (reply) => {
      reply.say('I think. ')
      asked.open()
      await reply.closed
      gone.open()
    }
    const silent = await open('one', 'hung up')
    await asked.opened
    await silent.saw('text')
    silent.hangUp()
    await gone.opened
    answer = say(({ length }) => (length > 6 ? 'Back.' : '```tool\n{call: stuck_wait {params {}}}\n```'))
    const stuck = await open('two', 'hung up')
    await stuck.saw('call')
    stuck.hangUp()
    expect(await chat('three', 'hung up')).toMatchObject({ status: 'done', answer: 'Back.' })
    const told = await stored('hung up')
    expect(told[1]).toMatch(/^I think\.\n\n\[The turn was cut here: The turn was cancelled/)
    expect(told.filter((text) => text.includes('call_cut'))).toHaveLength(1)
  })

  it('who hangs up without having asked for a stream cancels the turn, too', async () => {
    const asked = gate()
    const gone = gate()
    answer = async (reply) => {
      asked.open()
      await reply.closed
      gone.open()
    }
    const stop = new AbortController()
    const request = fetch(`${running.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'one', conversation_id: 'at once' }),
      signal: stop.signal,
    })
    await asked.opened
    stop.abort()
    await expect(request).rejects.toThrow()
    await gone.opened
    answer = say(() => 'Back.')
    expect(await chat('two', 'at once')).toMatchObject({ answer: 'Back.' })
  })
})

describe('after a kill -9', () => {
  /** of the turn that waits for a person */
  let id = ''
  const decided = say((messages) => {
    const told = /approved: (\w+)/.exec(messages.at(-1)?.content ?? '')?.[1]
    if (told !== undefined) return `It is ${told}.`
    const mark = `{id: ${markIn(messages)}}`
    return `\`\`\`tool\n{call: request_human_approval ${mark} {params {question: "May I?"}}}\n\`\`\``
  })

  // One kill for both: a turn that waits for a person, and one in the midst of its calls.
  beforeAll(async () => {
    answer = decided
    const spoken = await mm(root.path, 'chat', 'Please')
    expect([spoken.code, spoken.stderr]).toEqual([0, ''])
    id = /mm approve (\w+)/.exec(spoken.stdout)?.[1] ?? ''
    answer = say(() => 'Hello.')
    expect(await chat('Remember me', 'killed')).toMatchObject({ answer: 'Hello.' })
    answer = say(() => '```tool\n{call: spy_touch {params {}}}\n{call: stuck_wait {params {}}}\n```')
    const { saw, ended } = await open('Wait', 'killed')
    await saw('result')
    process.kill(running.childPid, 'SIGKILL')
    await ended
    await running.restarted(1)
  })

  it('a conversation goes on: the call that was under way is answered with what is known of it', async () => {
    let sent: ChatMessage[] = []
    answer = say((messages) => {
      sent = messages
      return 'Here again.'
    })
    expect(await chat('Are you there?', 'killed')).toMatchObject({ status: 'done', answer: 'Here again.' })
    expect(sent.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ])
    expect(sent[1]?.content).toBe('Remember me')
    expect(sent[5]?.content).toMatch(/spy_touch.*call_cut[\s\S]*stuck_wait.*call_cut/)
  })

  it('a turn that waits for a person is decided and goes on, by the command line', async () => {
    answer = decided
    const [waiting, wrong] = await Promise.all([mm(root.path, 'approvals'), mm(root.path, 'deny', id)])
    expect(waiting.stdout).toMatch(new RegExp(`^${id} .*May I\\?$`, 'm'))
    expect(wrong.code).toBe(2)
    const approved = await mm(root.path, 'approve', id, '--note', 'once')
    expect([approved.code, approved.stdout]).toEqual([0, 'approved; the turn went on:\nIt is true.\n'])
    const [again, left] = await Promise.all([mm(root.path, 'deny', id, '--reason', 'no'), mm(root.path, 'approvals')])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('approved already')])
    expect(left.stdout).toBe('nothing waits for a decision\n')
    expect((await running.api('POST', '/api/approvals/none', { approved: true, by: 'x' })).status).toBe(404)
  })
})

it('Listing 8 of the paper, sent by a model, reads a real file', async () => {
  answer = say((messages) => {
    const { content = '' } = messages.at(-1) ?? {}
    return content.includes('{result: filesystem_read_file') ? `It says ${content}` : LISTING_8
  })
  const { code, stdout } = await mm(root.path, 'chat', 'What does modules/web.py import?')
  expect(code).toBe(0)
  expect(stdout).toContain(LISTING_8.trim())
  expect(stdout).toMatch(/It says [\s\S]*import os\nimport logging/)
})

it('the same command talks to any base_url, and to nobody', async () => {
  expect((await mm(root.path, 'chat', 'Hi')).stdout).toBe('Hello.\n')
  const other = await startProvider((reply) => say(() => 'I am another.')(reply, []))
  root.write('configs/scripted.yml', `prog: inference/openai\nparams: {base_url: '${other.url}', model: m}\n`)
  await running.line(/scripted {2}g1 → g2/)
  expect((await mm(root.path, 'chat', 'Hi')).stdout).toBe('I am another.\n')
  await other.stop()
  root.write('configs/agents/assistant.yml', assistantConfig('provider: offline'))
  await running.line(/assistant {2}g1 → g2/)
  expect((await mm(root.path, 'chat', 'list all services')).stdout).toContain('not a language model')
})
