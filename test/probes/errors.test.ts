import { connect, createServer } from 'node:net'
import t from 'tap'
import type { ErrorClass } from '../../src/core/model.ts'
import { classify, ProbeFailure } from '../../src/probes/errors.ts'
import { listenOn } from './bench.ts'

const coded = (code: string, message = `something ${code}`): Error => Object.assign(new Error(message), { code })

void t.test('every code has its class', async t => {
  const table: Readonly<Record<ErrorClass, readonly string[]>> = {
    refused: ['ECONNREFUSED'],
    reset: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'],
    noconn: ['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN'],
    timeout: [],
    tls: [
      'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'EPROTO',
      'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'CERT_SIGNATURE_FAILURE', 'CRL_HAS_EXPIRED',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN', 'HOSTNAME_MISMATCH', 'INVALID_CA', 'INVALID_PURPOSE', 'PATH_LENGTH_EXCEEDED',
      'ERROR_IN_CERT_NOT_AFTER_FIELD'
    ],
    protocol: ['HPE_INVALID_CONSTANT', 'UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ESOMETHINGNEW', ''],
    local: [
      'ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAFNOSUPPORT', 'EACCES',
      'EPERM', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_MEMORY', 'EAI_SYSTEM', 'ENOTFOUND', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED',
      'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'
    ]
  }
  for (const [kind, codes] of Object.entries(table)) {
    for (const code of codes) t.equal(classify(coded(code)).class, kind, code)
  }
})

void t.test('the cause counts when the error itself says nothing', async t => {
  const rows: ReadonlyArray<readonly [unknown, ErrorClass, string]> = [
    [new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }), 'refused', 'a cause'],
    [new Error('outer', { cause: new Error('inner', { cause: coded('EMFILE') }) }), 'local', 'the cause of a cause'],
    [Object.assign(coded('ECONNRESET'), { cause: coded('ECONNREFUSED') }), 'reset', 'the error before its cause'],
    [new Error('self signed certificate'), 'tls', 'words'],
    [new Error('SSL routines: bad record'), 'tls', 'other words'],
    [new Error('passlist'), 'protocol', 'no words'],
    ['a text', 'protocol', 'no error at all'],
    [undefined, 'protocol', 'nothing at all']
  ]
  for (const [error, kind, why] of rows) t.equal(classify(error).class, kind, why)
})

void t.test('several addresses: what a node did before what we cannot do', async t => {
  const all = (...codes: string[]): ErrorClass => classify(new AggregateError(codes.map(code => coded(code)))).class
  t.equal(all('ECONNREFUSED', 'ECONNREFUSED'), 'refused')
  t.equal(all('ENETUNREACH', 'ECONNREFUSED'), 'refused', 'no IPv6 here')
  t.equal(all('EADDRNOTAVAIL', 'ETIMEDOUT'), 'noconn')
  t.equal(all('ECONNREFUSED', 'ENETUNREACH'), 'refused')
  t.equal(all('ENETUNREACH', 'ENETUNREACH'), 'local', 'no network at all')
  t.equal(classify(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })).class, 'refused', 'an empty one')

  const server = createServer()
  const port = await listenOn(t, server)
  server.close()
  const error = await new Promise(resolve => {
    const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }]
    connect({ port, host: 'two.example', autoSelectFamily: true, lookup: (_, __, done) => { done(null, addresses) } }).on('error', resolve)
  })
  t.type(error, AggregateError)
  t.match(classify(error), { class: 'refused', message: `connection refused (ECONNREFUSED 127.0.0.1:${port})` }, 'a real one')
})

void t.test('messages: what, code and detail, on one short line without secrets', async t => {
  const refused = 'connect ECONNREFUSED 127.0.0.1:1'
  t.equal(classify(coded('ECONNREFUSED', refused)).message, 'connection refused (ECONNREFUSED 127.0.0.1:1)')
  t.equal(classify(coded('HPE_X', 'not HTTP')).message, 'bad answer (HPE_X not HTTP)', 'with the code, if the text lacks it')
  t.equal(classify(new Error('odd')).message, 'bad answer (odd)')
  t.equal(classify(new ProbeFailure('timeout', 'no answer within 2s')).message, 'no answer within 2s')
  const nasty = classify(new Error(`a\nb "c" <d> URI:CHK:secret:key\t${'x'.repeat(500)}`)).message
  t.match(nasty, /^bad answer \(a b 'c' 'd' URI:\[redacted\] x+\.\.\.$/)
  t.equal(nasty.length, 200)
})
