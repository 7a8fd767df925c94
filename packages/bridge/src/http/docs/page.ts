/**
 * The page that shows the document. Links are relative, so that it works under any path; there is no inline script or style,
 * so that its Content-Security-Policy can be strict.
 */
export function renderPage(guides: readonly { file: string; title: string }[]): string {
  const links = guides.map(({ file, title }) => `<a href="docs/${file}">${title}</a>`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>comfy-bridge API</title>
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/page.css">
    <script src="docs/page.js" defer></script>
  </head>
  <body>
    <header><strong>comfy-bridge</strong><nav>${links.join('')}</nav></header>
    <div id="swagger-ui"><p class="waiting">Reading the document…</p></div>
    <noscript><p class="waiting">This page needs JavaScript; <a href="openapi.json">openapi.json</a> does not.</p></noscript>
    <script src="docs/swagger-ui-bundle.js" defer></script>
  </body>
</html>
`;
}

/**
 * Measured: Swagger UI draws its icons from `data:` URLs and sets styles by script, which needs no permission; it runs under this
 * without a complaint of the browser.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Light and dark follow the reader's system; the rest starts once the page and Swagger UI are there. */
export const pageScript = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
addEventListener('DOMContentLoaded', () => {
  SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#swagger-ui',
    layout: 'BaseLayout',
    deepLinking: true,
    filter: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    // Long texts of colour are slow to make, and are not wanted for files.
    syntaxHighlight: { activated: true, theme: dark.matches ? 'monokai' : 'idea' },
    tryItOutEnabled: false,
  });
});
`;

export const pageStyle = `:root { color-scheme: light dark; }
body { margin: 0; background: #fafafa; color: #1f2430; font-family: system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; padding: 0.75rem 20px;
  max-width: 1460px; margin: 0 auto; box-sizing: border-box; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
nav a, .waiting a { color: #0b5cad; }
.swagger-ui .info { margin: 1.5rem 0; }
.swagger-ui .scheme-container { padding: 1rem 0; margin-bottom: 1rem; }
.swagger-ui .response-col_links { display: none; }
.waiting { padding: 2rem 20px; max-width: 1460px; margin: 0 auto; box-sizing: border-box; }
html.dark-mode body { background: #1c2022; color: #e4e6e6; }
html.dark-mode nav a, html.dark-mode .waiting a { color: #8cc8ff; }
`;
