from gallery.models.embedding import Embedding, EmbeddingSpace
from gallery.models.image import Image
from gallery.models.user import User

__all__ = ["Embedding", "EmbeddingSpace", "Image", "User"]
