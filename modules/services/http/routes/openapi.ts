/** The description of the API itself. */
import { z } from 'zod'
import { route } from './route.ts'

export const openApiRoute = route({
  id: 'system.openapi',
  method: 'GET',
  path: '/api/openapi.json',
  scope: 'read',
  summary: 'This API as OpenAPI 3.1',
  answer: z.record(z.string(), z.unknown()),
  act: async ({ desk }) => desk.openApi(await desk.system.status()),
})
