"""`/docs`: the API explorer, with the Swagger UI files of an installed package and no CDN."""

from __future__ import annotations

from importlib.resources import as_file, files

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

ASSETS_PACKAGE = "fastapi_offline"
ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
KEEP_A_DAY = {"Cache-Control": "max-age=86400"}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MiniCPMO45 Gateway API</title>
<link rel="icon" href="/static/img/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="stylesheet" href="/static/css/api-explorer.css">
<script src="/static/ui/boot.js"></script>
</head>
<body>
<header><a href="/">MiniCPM-o 4.5</a></header>
<main id="explorer"></main>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
"""

START_SCRIPT = """const { classList, dataset } = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () =>
  classList.toggle("dark-mode", dataset.theme ? dataset.theme === "dark" : system.matches);
system.addEventListener("change", followTheme);
followTheme();
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#explorer",
  deepLinking: false, // it would put links inside buttons, which keyboards and readers cannot use
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
async def explorer() -> HTMLResponse:
    return HTMLResponse(PAGE)


@router.get("/init.js")
async def start_script() -> Response:
    return Response(START_SCRIPT, media_type="text/javascript")


@router.get("/assets/{name}")
async def asset(name: str) -> FileResponse:
    if name not in ASSETS:
        raise HTTPException(404, f"No such file: {name}")
    with as_file(files(ASSETS_PACKAGE) / "static" / name) as path:
        return FileResponse(path, media_type=ASSETS[name], headers=KEEP_A_DAY)
