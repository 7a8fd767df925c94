import { expect, test } from 'vitest';
import { asRecord, type ComfyServer } from './_comfy-server.ts';

/** What a server tells about itself, and how it answers what it does not know. */
export function restSurface(server: ComfyServer): void {
  test('features: the flags it negotiates', async () => {
    const { status, json } = await server.get('/features');
    expect(status).toBe(200);
    expect(json).toMatchObject({ supports_preview_metadata: true, max_upload_size: expect.any(Number) });
  });

  test('system_stats: version and one device with its memory', async () => {
    const { json } = await server.get('/system_stats');
    expect(json).toMatchObject({
      system: {
        os: expect.any(String),
        comfyui_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        argv: expect.any(Array),
      },
      devices: [
        {
          name: expect.any(String),
          type: expect.any(String),
          vram_total: expect.any(Number),
          vram_free: expect.any(Number),
        },
      ],
    });
  });

  test('an idle queue, long and short', async () => {
    expect((await server.get('/queue')).json).toEqual({ queue_running: [], queue_pending: [] });
    expect((await server.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 0 } });
  });

  test('models: folders, files, and 404 for an unknown folder', async () => {
    expect(JSON.parse((await server.get('/models')).text)).toEqual(
      expect.arrayContaining(['checkpoints', 'loras', 'vae', 'upscale_models']),
    );
    expect(JSON.parse((await server.get('/models/checkpoints')).text)).toEqual(expect.any(Array));
    expect((await server.get('/models/no_such_folder')).status).toBe(404);
    expect(JSON.parse((await server.get('/embeddings')).text)).toEqual(expect.any(Array));
    expect(JSON.parse((await server.get('/extensions')).text)).toEqual(expect.any(Array));
  });

  test('object_info: one class, with its inputs in order', async () => {
    const { json } = await server.get('/object_info/SaveImage');
    expect(Object.keys(json ?? {})).toEqual(['SaveImage']);
    expect(json?.SaveImage).toMatchObject({
      name: 'SaveImage',
      display_name: 'Save Image',
      category: 'image',
      output_node: true,
      output: [],
      input_order: { required: ['images', 'filename_prefix'], hidden: ['prompt', 'extra_pnginfo'] },
      input: { required: { filename_prefix: ['STRING', { default: 'ComfyUI' }] } },
    });
  });

  test('object_info: choices come as a list or, for newer nodes, as COMBO', async () => {
    const scale = asRecord((await server.get('/object_info/ImageScale')).json?.ImageScale);
    expect(scale.input).toEqual({
      required: {
        image: ['IMAGE'],
        upscale_method: [['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos']],
        width: ['INT', { default: 512, min: 0, max: 16384, step: 1 }],
        height: ['INT', { default: 512, min: 0, max: 16384, step: 1 }],
        crop: [['disabled', 'center']],
      },
    });
    const blend = asRecord((await server.get('/object_info/ImageBlend')).json?.ImageBlend);
    expect(asRecord(asRecord(blend.input).required).blend_mode).toEqual([
      'COMBO',
      expect.objectContaining({
        options: ['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'],
      }),
    ]);
  });

  test('object_info: LoadImage offers the input files and marks the upload', async () => {
    const load = asRecord((await server.get('/object_info/LoadImage')).json?.LoadImage);
    const [files, options] = asRecord(asRecord(load.input).required).image as [string[], unknown];
    expect(files).toContain('example.png');
    expect(options).toMatchObject({ image_upload: true });
    expect(load.output).toEqual(['IMAGE', 'MASK']);
  });

  test.each([
    [
      'KSampler',
      [
        'model',
        'seed',
        'steps',
        'cfg',
        'sampler_name',
        'scheduler',
        'positive',
        'negative',
        'latent_image',
        'denoise',
      ],
      ['LATENT'],
    ],
    ['CheckpointLoaderSimple', ['ckpt_name'], ['MODEL', 'CLIP', 'VAE']],
    ['ImageCompositeMasked', ['destination', 'source', 'x', 'y', 'resize_source'], ['IMAGE']],
    ['ImageUpscaleWithModel', ['upscale_model', 'image'], ['IMAGE']],
    ['PreviewAny', ['source'], []],
  ])('object_info: %s has its inputs and outputs', async (name, inputs, outputs) => {
    const node = asRecord((await server.get(`/object_info/${name}`)).json?.[name]);
    expect(asRecord(node.input_order).required).toEqual(inputs);
    expect(node.output).toEqual(outputs);
  });

  test('object_info: an unknown class is an empty object, not an error', async () => {
    const { status, json } = await server.get('/object_info/NoSuchNode');
    expect({ status, json }).toEqual({ status: 200, json: {} });
  });

  test('object_info: the whole list agrees with the single class', async () => {
    const { json } = await server.get('/api/object_info');
    expect(json?.ImageScale).toEqual((await server.get('/object_info/ImageScale')).json?.ImageScale);
  });

  test('every route is served under /api too, but there is no /jobs', async () => {
    expect((await server.get('/api/queue')).json).toEqual({ queue_running: [], queue_pending: [] });
    expect((await server.get('/jobs')).status).toBe(404);
  });

  test('unknown paths: 404 for GET, 405 for POST, also with a trailing slash', async () => {
    expect((await server.get('/no/such/path')).status).toBe(404);
    expect((await server.post('/no_such_path', {})).status).toBe(405);
    expect((await server.post('/interrupt/', {})).status).toBe(405);
  });

  test('users and userdata', async () => {
    expect((await server.get('/users')).json).toMatchObject({ storage: 'server' });
    expect(await server.get('/userdata?dir=')).toMatchObject({ status: 400, text: 'Directory not provided' });
  });

  test('a browser page of another origin is refused', async () => {
    expect((await server.get('/queue', { origin: 'http://elsewhere.example' })).status).toBe(403);
  });

  test('history of an unknown prompt is an empty object', async () => {
    expect(await server.get('/history/no-such-prompt')).toMatchObject({ status: 200, json: {} });
  });

  test('free, interrupt and clearing an idle queue answer with nothing at all', async () => {
    for (const [path, body] of [
      ['/free', { unload_models: true, free_memory: true }],
      ['/interrupt', {}],
      ['/interrupt', ''],
      ['/queue', { clear: true }],
    ] as const) {
      const { status, text, headers } = await server.post(path, body);
      expect({ path, status, text, length: headers.get('content-length') }).toEqual({
        path,
        status: 200,
        text: '',
        length: '0',
      });
    }
  });

  test.each(['/prompt', '/queue', '/history', '/free'])(
    'a body that is not JSON is a 500 in plain text: %s',
    async (path) => {
      const { status, headers, text } = await server.post(path, '{');
      expect(status).toBe(500);
      expect(headers.get('content-type')).toContain('text/plain');
      expect(text).toContain('500 Internal Server Error');
    },
  );
}
