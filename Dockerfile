# zim-studio without a window, on a CPU: the command line and the server.
#
#   docker build -t zim-studio .
#   docker run --rm -v "$PWD:/photos" zim-studio matte cat.jpg --subject -o cutout.png
#   docker run --rm -p 127.0.0.1:7000:7000 zim-studio serve --host 0.0.0.0
#
# Needs no package of the system beyond those of the base image: Qt is not loaded.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
# PyPI's torch for Linux brings 2 GB of CUDA libraries.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/zim-studio
WORKDIR /source
COPY constraints.txt ./
# Of its own, so that a change of the sources does not fetch it again.
RUN version="$(sed -n 's/^torch==//p' constraints.txt)" \
    && /opt/zim-studio/bin/pip install --index-url "${TORCH_INDEX}" "torch==${version}"
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY assets assets
COPY training training
COPY zim_model zim_model
COPY zim_app zim_app
RUN /opt/zim-studio/bin/pip install -c constraints.txt ".[serve]"

FROM python:${PYTHON}-slim
COPY --from=build /opt/zim-studio /opt/zim-studio
ENV PATH=/opt/zim-studio/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ZIM_STUDIO_MODELS=/models
# With docker run --user the files that it writes belong to that user.
RUN useradd --create-home --uid 1000 zim && install -d -o zim -m 1777 /models /photos
USER zim
VOLUME /models
WORKDIR /photos
EXPOSE 7000
ENTRYPOINT ["zim-studio"]
CMD ["--help"]
