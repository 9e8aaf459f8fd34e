/** The assistant: a chat, whole or as server-sent events. */
import { z } from 'zod'
import type {
  ChatAnswer,
  ChatRequest,
  ConversationInfo,
  PastEvent,
  ProviderChoice,
  Usage,
} from '../../../contracts/services.ts'
import { coded } from '../../../lib/errors.ts'
import { entryOf } from '../entry.ts'
import { streamChat } from '../chat-stream.ts'
import { route, shape } from './route.ts'
import { epochMs, jsonMap } from './shapes.ts'

const usage = shape<Usage>(
  'Usage',
  z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cached_tokens: z.number(),
    cost_usd: z.number().nullable(),
  }),
)

export const chatAnswer = shape<ChatAnswer>(
  'ChatAnswer',
  z.object({
    conversation_id: z.string(),
    answer: z.string(),
    status: z.enum(['done', 'parked', 'cut']),
    reason: z.string().exactOptional().describe('why it is cut, or the question it is parked with'),
    approval_id: z.string().exactOptional(),
    provider: z.string(),
    model: z.string(),
    steps: z.array(
      z.object({
        tool: z.string(),
        params: z.record(z.string(), z.unknown()),
        status: z.enum(['success', 'error']),
        ms: z.number(),
      }),
    ),
    prompt_hash: z.string(),
    usage: usage.nullable(),
  }),
)

const chatBody = z.object({
  message: z.string().describe('what you say'),
  conversation_id: z.string().optional().describe('goes on with that one'),
  provider: z.string().optional().describe('the inference service that answers'),
  stream: z.boolean().optional().describe('events while it is written, instead of one answer'),
})

const conversation = shape<ConversationInfo>(
  'Conversation',
  z.object({
    conversation_id: z.string(),
    title: z.string().describe('the beginning of its first message'),
    messages: z.number(),
    updated_at: epochMs,
    usage: usage.nullable(),
  }),
)

const pastEvent = shape<PastEvent>(
  'PastEvent',
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('user'), text: z.string() }),
    z.object({ type: z.literal('text'), text: z.string(), provider: z.string().describe('empty: the system itself') }),
    z.object({ type: z.literal('call'), text: z.string(), tool: z.string(), params: jsonMap }),
    z.object({
      type: z.literal('result'),
      text: z.string(),
      tool: z.string(),
      status: z.enum(['success', 'error']),
      ms: z.number().nullable(),
      error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).exactOptional(),
    }),
  ]),
)

const providerChoice = shape<ProviderChoice>(
  'ProviderChoice',
  z.object({
    name: z.string(),
    info: z
      .object({
        model: z.string(),
        ready: z.boolean(),
        note: z.string(),
        prompt_file: z.string().exactOptional(),
        tool_use: z.boolean().exactOptional(),
      })
      .nullable(),
    reason: z.string().nullable().describe('why it cannot answer'),
    chosen: z.boolean().describe('it answers a message that names no other'),
  }),
)

export const chatRoutes = [
  route({
    id: 'chat.send',
    method: 'POST',
    path: '/api/chat',
    scope: 'operate',
    summary: 'Says something to the assistant',
    notes:
      '`stream: true` gives events while the answer is written. Hanging up cancels the turn; see [assistant.md](assistant.md).',
    verb: 'mm chat',
    own: true,
    body: chatBody,
    answer: chatAnswer,
    errors: ['chat_busy', 'chat_parked', 'chat_cancelled', 'chat_time'],
    act({ desk, body }) {
      const { message, conversation_id, provider, stream } = body
      const request: ChatRequest = {
        message,
        ...(conversation_id === undefined ? {} : { conversation_id }),
        ...(provider === undefined ? {} : { provider }),
      }
      if (stream === true && desk.idempotencyKey !== undefined)
        throw coded('bad_request', { reason: 'a stream cannot be kept: leave `stream` or the Idempotency-Key out' })
      if (stream === true) return streamChat(desk, request)
      const signal = desk.idempotencyKey === undefined ? { signal: desk.signal } : {}
      const { call, place } = entryOf(desk)
      return desk.assistant.with(call).chat({ ...request, trace: place, ...signal })
    },
  }),
  route({
    id: 'chat.providers',
    method: 'GET',
    path: '/api/chat/providers',
    scope: 'read',
    summary: 'The inference services that may answer, in the order in which they are asked',
    answer: z.object({ providers: z.array(providerChoice) }),
    act: async ({ desk }) => ({ providers: await desk.assistant.providers() }),
  }),
  route({
    id: 'chat.conversations',
    method: 'GET',
    path: '/api/chat/conversations',
    scope: 'operate',
    summary: 'Conversations that are kept, the last used first',
    answer: z.object({ conversations: z.array(conversation) }),
    act: async ({ desk }) => ({ conversations: await desk.assistant.conversations() }),
  }),
  route({
    id: 'chat.conversation',
    method: 'GET',
    path: '/api/chat/conversations/{id}',
    scope: 'operate',
    summary: 'One conversation as it was shown, and the question it waits with',
    notes: 'What the model called and got is told as in the stream of `POST /api/chat`.',
    params: z.object({ id: z.string().min(1).describe('the id of a conversation') }),
    answer: z.object({
      conversation_id: z.string(),
      events: z.array(pastEvent),
      parked: z
        .object({ approval_id: z.string(), question: z.string(), asked_at: epochMs })
        .nullable()
        .describe('what a person has to decide'),
    }),
    errors: ['conversation_missing'],
    async act({ desk, params: { id } }) {
      const [events, waiting] = await Promise.all([desk.assistant.past(id), desk.assistant.parked()])
      const found = waiting.find(({ conversation_id }) => conversation_id === id)
      const { approval_id = '', question = '', asked_at = 0 } = found ?? {}
      return {
        conversation_id: id,
        events,
        parked: found === undefined ? null : { approval_id, question, asked_at },
      }
    },
  }),
]
