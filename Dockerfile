# The images of the gateway and of the operator, for amd64 and arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --target gateway -t REGISTRY/sluice-gateway:VERSION --push .
#   docker buildx build --platform linux/amd64,linux/arm64 --target operator -t REGISTRY/sluice-operator:VERSION --push .
# Both hold one program, no shell and no package manager, run as user 65532, and need no place to write.

# Compiled on the machine's own architecture for the wanted one: emulation would take hours.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95-bookworm AS build
ARG TARGETARCH
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake g++-aarch64-linux-gnu g++-x86-64-linux-gnu libc6-dev-arm64-cross libc6-dev-amd64-cross \
 && rm -rf /var/lib/apt/lists/*
RUN case "$TARGETARCH" in \
      amd64) echo x86_64-unknown-linux-gnu ;; \
      arm64) echo aarch64-unknown-linux-gnu ;; \
      *) echo "there is no image for $TARGETARCH" >&2; exit 1 ;; \
    esac > /target \
 && rustup target add "$(cat /target)"
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++ \
    CC_x86_64_unknown_linux_gnu=x86_64-linux-gnu-gcc CXX_x86_64_unknown_linux_gnu=x86_64-linux-gnu-g++
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --target "$(cat /target)" -p sluice-gateway -p sluice-operator \
 && mkdir /out \
 && for program in sluice-gateway sluice-operator; do \
      case "$TARGETARCH" in arm64) strip=aarch64-linux-gnu-strip ;; *) strip=x86_64-linux-gnu-strip ;; esac; \
      "$strip" --strip-debug -o "/out/$program" "target/$(cat /target)/release/$program"; \
    done

FROM gcr.io/distroless/cc-debian12:nonroot AS gateway
COPY --from=build /out/sluice-gateway /usr/local/bin/sluice-gateway
USER 65532:65532
EXPOSE 3000 3001 3002
ENTRYPOINT ["/usr/local/bin/sluice-gateway"]

FROM gcr.io/distroless/cc-debian12:nonroot AS operator
COPY --from=build /out/sluice-operator /usr/local/bin/sluice-operator
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/sluice-operator"]
