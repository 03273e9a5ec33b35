/** A failed request: the API's sentence, or the fact that there was no answer. */

export class Problem extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {string} detail a sentence for a person; empty where the API said none
   * @param {{ field?: string, request?: string }} [more]
   */
  constructor(status, detail, { field = "", request = "" } = {}) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail;
    this.field = field;
    this.request = request;
  }

  /** No answer, or a server error: the request can be repeated unchanged. */
  get isOutage() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * The problem in a response, by RFC 9457 or from the gateway.
 * @param {Response} response
 */
export async function problemOf(response) {
  /** @type {{ detail?: string, field?: string, message?: string }} */
  let body = {};
  try {
    body = await response.json();
  } catch {
    // a proxy's page, or an empty body
  }
  const request = response.headers.get("apigw-requestid") ?? response.headers.get("x-request-id") ?? "";
  return new Problem(response.status, body.detail ?? "", { field: body.field, request });
}
